//! JSON as RFC 8259 wants it read by careful receivers: duplicate keys are refused.
//!
//! `serde_json` keeps the last of two equal keys, so a request could mean one thing to a check
//! and another to the code behind it. Nesting is bounded by `serde_json` at 128 levels, and the
//! number of values here: a value takes ten times the memory of the two bytes it may be written in.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The most values of one text, counting each object, list, text, number, word and null: a
/// thousand items of the richest list there is have some 20 000.
const MAX_VALUES: u32 = 65_536;

/// Within these a whole number is an i64; both are powers of two, so a float is exactly them.
const WHOLE: Range<f64> = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;

/// Why bytes are not a JSON text; the message names line and column.
pub(super) type Malformed = serde_json::Error;

/// Parses one JSON text.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
    let left = Cell::new(MAX_VALUES);
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { left: &left }.deserialize(&mut text)?;
    text.end()?;
    Ok(value)
}

/// Reads one value, and all in it.
#[derive(Clone, Copy)]
struct Strict<'a> {
    /// How many values may still come.
    left: &'a Cell<u32>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            let reason = format!("more than {MAX_VALUES} values");
            return Err(serde::de::Error::custom(reason));
        };
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    /// A whole number may be written `3.0` (JSON Schema, §4.2.3).
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && WHOLE.contains(&value) {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within i64")]
            return Ok(Value::Number((value as i64).into()));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if object.contains_key(&key) {
                return Err(serde::de::Error::custom(format!(
                    "the key {key:?} stands twice"
                )));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":2}"#, r#"[{"b":{"a":1,"a":1}}]"#] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("\"a\" stands twice"), "{error}");
        }
    }

    #[test]
    fn deep_nesting_and_lone_surrogates_are_refused() {
        assert!(parse("[".repeat(10_000).as_bytes()).is_err());
        assert!(parse(br#""\ud800""#).is_err());
        assert!(parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn a_text_has_a_bounded_number_of_values() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert!(parse(list(65_535).as_bytes()).is_ok());
        for text in [list(65_536), format!("[{}]", vec!["[]"; 65_536].join(","))] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("more than 65536 values"), "{error}");
        }
        assert!(parse(b"[] []").is_err(), "one text alone");
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (text, number) in [
            ("3.0", 3),
            ("-2e2", -200),
            ("-0.0", 0),
            ("-9223372036854775808.0", i64::MIN),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap(), Value::from(number));
        }
        for text in ["3.5", "9223372036854775808.0", "1e300"] {
            assert!(parse(text.as_bytes()).unwrap().as_i64().is_none(), "{text}");
        }
    }

    #[test]
    fn what_serde_json_reads_is_read_the_same() {
        let text = r#"{"a":[1,-2,3.5,true,null,"x"],"b":{"c":18446744073709551615}}"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
    }
}
