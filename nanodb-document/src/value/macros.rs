//! Documents and arrays written as in JSON.

/// Makes a [`Document`](crate::Document), written as in JSON.
///
/// Keys are string literals, or any expression in parentheses. Values are literals, nested `{}` and
/// `[]`, `null`, or any expression that converts to a [`Value`](crate::Value): see
/// [`IntoValue`](crate::IntoValue). A repeated name
/// keeps its first place and gets its last value.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::doc;
///
/// let born = 1991;
/// let key = String::from("computed");
/// let alice = doc! {
///     "name": "Alice",
///     "age": 2026 - born,
///     "tags": ["a", "b", null],
///     "address": { "city": "Berlin", "zip": { "code": 10115 } },
///     (key): Some(-1.5),
///     "nothing": null,
/// };
/// assert_eq!(alice.get_path("address.zip.code").unwrap(), &10115);
/// assert_eq!(alice["age"], 35);
/// assert_eq!(alice["computed"], -1.5);
/// assert!(alice["tags"][2].is_null());
/// assert!(doc! {}.is_empty());
/// ```
#[macro_export]
macro_rules! doc {
    () => { $crate::Document::new() };
    ($($tokens:tt)+) => {{
        let mut document = $crate::Document::new();
        $crate::__doc_fields!(document $($tokens)+);
        document
    }};
}

/// Makes a `Vec` of [`Value`](crate::Value)s, written as in JSON; see [`doc!`](crate::doc).
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Value, array};
///
/// let values = array![1, "two", [3.0], { "four": null }];
/// assert_eq!(values.len(), 4);
/// assert_eq!(values[2], Value::from([3.0]));
/// ```
#[macro_export]
macro_rules! array {
    () => { ::std::vec::Vec::<$crate::Value>::new() };
    ($($tokens:tt)+) => {{
        let mut elements = ::std::vec::Vec::<$crate::Value>::new();
        $crate::__doc_elements!(elements $($tokens)+);
        elements
    }};
}

/// One value, for the macros above.
#[doc(hidden)]
#[macro_export]
macro_rules! __doc_value {
    (null) => { $crate::Value::Null };
    ([ $($tokens:tt)* ]) => { $crate::Value::Array($crate::array![$($tokens)*]) };
    ({ $($tokens:tt)* }) => { $crate::Value::Document($crate::doc! { $($tokens)* }) };
    ($value:expr) => { $crate::__value($value) };
}

/// A key, without the parentheses that make an expression one token tree.
#[doc(hidden)]
#[macro_export]
macro_rules! __doc_key {
    (($key:expr)) => {
        $key
    };
    ($key:expr) => {
        $key
    };
}

/// The fields of `doc!`, one at a time. `null`, `[]` and `{}` are matched before an expression is
/// tried, because Rust would read them as something else.
#[doc(hidden)]
#[macro_export]
macro_rules! __doc_fields {
    ($document:ident) => {};
    // A key, then a value that is one token tree of ours.
    ($document:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $document.insert($crate::__doc_key!($key), $crate::Value::Null);
        $crate::__doc_fields!($document $($($rest)*)?);
    };
    ($document:ident $key:tt : [ $($tokens:tt)* ] $(, $($rest:tt)*)?) => {
        $document.insert($crate::__doc_key!($key), $crate::__doc_value!([ $($tokens)* ]));
        $crate::__doc_fields!($document $($($rest)*)?);
    };
    ($document:ident $key:tt : { $($tokens:tt)* } $(, $($rest:tt)*)?) => {
        $document.insert($crate::__doc_key!($key), $crate::__doc_value!({ $($tokens)* }));
        $crate::__doc_fields!($document $($($rest)*)?);
    };
    // A key, then any other expression.
    ($document:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $document.insert($crate::__doc_key!($key), $crate::__value($value));
        $crate::__doc_fields!($document $($($rest)*)?);
    };
}

/// The elements of `array!`, one at a time.
#[doc(hidden)]
#[macro_export]
macro_rules! __doc_elements {
    ($elements:ident) => {};
    ($elements:ident null $(, $($rest:tt)*)?) => {
        $elements.push($crate::Value::Null);
        $crate::__doc_elements!($elements $($($rest)*)?);
    };
    ($elements:ident [ $($tokens:tt)* ] $(, $($rest:tt)*)?) => {
        $elements.push($crate::__doc_value!([ $($tokens)* ]));
        $crate::__doc_elements!($elements $($($rest)*)?);
    };
    ($elements:ident { $($tokens:tt)* } $(, $($rest:tt)*)?) => {
        $elements.push($crate::__doc_value!({ $($tokens)* }));
        $crate::__doc_elements!($elements $($($rest)*)?);
    };
    ($elements:ident $value:expr $(, $($rest:tt)*)?) => {
        $elements.push($crate::__value($value));
        $crate::__doc_elements!($elements $($($rest)*)?);
    };
}
