//! The numbers of the operations, which `lib/native.js` has, too.

macro_rules! operations {
    ($($name:ident = $number:literal,)*) => {
        /// What is asked for.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Operation {
            $($name,)*
        }

        impl Operation {
            /// Returns the operation of that number.
            pub(crate) fn of_number(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

operations! {
    // Of no object.
    Open = 1,
    // Of a database.
    Close = 10,
    Collections = 11,
    DropCollection = 12,
    RenameCollection = 13,
    Sync = 14,
    Checkpoint = 15,
    Compact = 16,
    Stats = 17,
    Check = 18,
    Snapshot = 19,
    Begin = 20,
    // Of a database, a snapshot or a transaction.
    Collection = 21,
    // Of a collection.
    Get = 30,
    GetEach = 31,
    Find = 32,
    FindOne = 33,
    Count = 34,
    CountDocuments = 35,
    Distinct = 36,
    Explain = 37,
    Insert = 40,
    InsertMany = 41,
    UpdateOne = 42,
    UpdateMany = 43,
    ReplaceOne = 44,
    DeleteOne = 45,
    DeleteMany = 46,
    FindOneAndUpdate = 47,
    FindOneAndReplace = 48,
    FindOneAndDelete = 49,
    BulkWrite = 50,
    // Of a cursor.
    Next = 60,
    // Of a transaction.
    Commit = 70,
    Rollback = 71,
}
