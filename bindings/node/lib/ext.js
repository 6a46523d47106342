'use strict';
// An extension of MessagePack whose type has no class here: what other programs stored.

class Ext {
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
}

module.exports = { Ext };
