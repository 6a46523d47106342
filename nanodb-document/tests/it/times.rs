//! Timestamps: their arithmetic, their text, and other types that are stored as them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nanodb_document::{ErrorKind, Timestamp, from_document, to_document};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::any::cases;

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let secs = prop_oneof![any::<i64>(), -10_i64..10, Just(i64::MAX), Just(i64::MIN)];
    let nanos = prop_oneof![0_u32..1_000_000_000, Just(0), Just(999_999_999)];
    (secs, nanos).prop_map(|(secs, nanos)| Timestamp::new(secs, nanos).unwrap())
}

fn duration() -> impl Strategy<Value = Duration> {
    let secs = prop_oneof![any::<u64>(), 0_u64..10];
    (secs, 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos))
}

fn nanos(time: Timestamp) -> i128 {
    i128::from(time.secs()) * 1_000_000_000 + i128::from(time.nanos())
}

fn of_duration(duration: Duration) -> i128 {
    i128::from(duration.as_secs()) * 1_000_000_000 + i128::from(duration.subsec_nanos())
}

const FIRST: i128 = i64::MIN as i128 * 1_000_000_000;
const LAST: i128 = i64::MAX as i128 * 1_000_000_000 + 999_999_999;

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn arithmetic_is_that_of_nanoseconds(
        a in timestamp(),
        b in timestamp(),
        duration in duration(),
    ) {
        let sum = nanos(a) + of_duration(duration);
        prop_assert_eq!(a.checked_add(duration).map(nanos), Some(sum).filter(|sum| *sum <= LAST));
        prop_assert_eq!(nanos(a + duration), sum.min(LAST));
        let difference = nanos(a) - of_duration(duration);
        prop_assert_eq!(
            a.checked_sub(duration).map(nanos),
            Some(difference).filter(|nanos| *nanos >= FIRST)
        );
        prop_assert_eq!(nanos(a - duration), difference.max(FIRST));
        let mut c = a;
        c += duration;
        prop_assert_eq!(c, a + duration);
        c -= duration;
        prop_assert_eq!(c, a + duration - duration);
        let since = a.duration_since(b).map(of_duration);
        prop_assert_eq!(since, Some(nanos(a) - nanos(b)).filter(|nanos| *nanos >= 0));
        prop_assert_eq!(a.cmp(&b), nanos(a).cmp(&nanos(b)));
    }

    #[test]
    fn milliseconds_are_rounded_down(time in timestamp(), millis in any::<i64>()) {
        let expected = nanos(time).div_euclid(1_000_000);
        let expected = expected.clamp(i64::MIN.into(), i64::MAX.into());
        prop_assert_eq!(i128::from(time.as_millis()), expected);
        prop_assert_eq!(Timestamp::from_millis(millis).as_millis(), millis);
        prop_assert_eq!(nanos(Timestamp::from_millis(millis)), i128::from(millis) * 1_000_000);
    }

    #[test]
    fn text_is_read_back(time in timestamp()) {
        prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }
}

#[test]
fn a_text_that_is_no_time_is_named() {
    let error = "soon".parse::<Timestamp>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.to_string(), "\"soon\" is not a time like 2023-11-14T22:13:20.5Z");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Event {
    #[serde(with = "nanodb_document::as_timestamp")]
    at: SystemTime,
    #[serde(with = "nanodb_document::as_timestamp::option", default)]
    until: Option<SystemTime>,
}

#[test]
fn times_of_the_system_are_stored_as_timestamps() {
    for (secs, nanos) in [(0, 0), (1_700_000_000, 123_456_789), (253_402_300_799, 0)] {
        let at = UNIX_EPOCH + Duration::new(secs, nanos);
        for until in [None, Some(UNIX_EPOCH - Duration::new(5, 1))] {
            let event = Event { at, until };
            let document = to_document(&event).unwrap();
            assert_eq!(document["at"].as_timestamp(), Some(at.into()));
            assert_eq!(document["until"].as_timestamp(), until.map(Into::into));
            assert_eq!(from_document::<Event>(&document).unwrap(), event);
            let text = serde_json::to_string(&event).unwrap();
            assert!(text.starts_with(&format!("{{\"at\":\"{}\"", Timestamp::from(at))), "{text}");
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
    }
    let none: Event = serde_json::from_str(r#"{"at": "1970-01-01T00:00:00Z"}"#).unwrap();
    assert_eq!(none.until, None);
}

#[test]
fn times_that_other_crates_would_panic_at_are_refused_on_both_sides() {
    let far = Timestamp::new(253_402_300_800, 0).unwrap();
    let event = Event { at: far.try_into().unwrap(), until: None };
    let error = to_document(&event).unwrap_err();
    assert_eq!(error.path(), Some("at"));
    assert!(error.to_string().contains("is not between the years -9999 and 9999"), "{error}");
    let error = from_document::<Event>(&nanodb_document::doc! { "at": far }).unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::WrongType, Some("at")));
}
