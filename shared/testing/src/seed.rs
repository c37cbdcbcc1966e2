//! The seed of a test that is another one each time.

use crate::database::environment;

/// That of `LYCEUM_TEST_SEED`, as a run has printed it (`0x…`) or as a number; any, without one.
///
/// # Panics
/// When the variable holds no number.
pub fn drawn() -> u64 {
    environment("LYCEUM_TEST_SEED").map_or_else(rand::random, |text| {
        parse(&text).expect("LYCEUM_TEST_SEED is a number, such as 0x5eed")
    })
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_seed_is_read_as_it_is_printed() {
        let seed = 0x2f23_aecc_085c_88e0;
        assert_eq!(parse(&format!("{seed:#x}")), Some(seed));
        assert_eq!(parse(&seed.to_string()), Some(seed));
        assert_eq!(parse("5eed"), None);
    }
}
