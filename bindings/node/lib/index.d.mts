export * from './index.js';
import * as nanodb from './index.js';
export default nanodb;
