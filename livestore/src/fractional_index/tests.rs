use super::*;
use proptest::prelude::*;

fn ok(before: Option<&str>, after: Option<&str>) -> String {
    between(before, after).unwrap()
}

/// As rocicorp's library has them in its tests.
#[test]
fn the_keys_are_those_of_the_library_for_javascript() {
    let cases: &[(Option<&str>, Option<&str>, &str)] = &[
        (None, None, "a0"),
        (None, Some("a0"), "Zz"),
        (None, Some("Zz"), "Zy"),
        (Some("a0"), None, "a1"),
        (Some("a1"), None, "a2"),
        (Some("a0"), Some("a1"), "a0V"),
        (Some("a1"), Some("a2"), "a1V"),
        (Some("a0V"), Some("a1"), "a0l"),
        (Some("Zz"), Some("a0"), "ZzV"),
        (Some("Zz"), Some("a1"), "a0"),
        (None, Some("Y00"), "Xzzz"),
        (Some("bzz"), None, "c000"),
        (Some("a0"), Some("a0V"), "a0G"),
        (Some("a0"), Some("a0G"), "a08"),
        (Some("b125"), Some("b129"), "b127"),
        (Some("a0"), Some("a1V"), "a1"),
        (Some("Zz"), Some("a01"), "a0"),
        (None, Some("a0V"), "a0"),
        (None, Some("b999"), "b99"),
        (None, Some("A000000000000000000000000001"), "A000000000000000000000000000V"),
        (Some("zzzzzzzzzzzzzzzzzzzzzzzzzzy"), None, "zzzzzzzzzzzzzzzzzzzzzzzzzzz"),
        (Some("zzzzzzzzzzzzzzzzzzzzzzzzzzz"), None, "zzzzzzzzzzzzzzzzzzzzzzzzzzzV"),
    ];
    for (before, after, key) in cases {
        assert_eq!(ok(*before, *after), *key, "{before:?} {after:?}");
    }
    assert_eq!(spread(None, None, 5).unwrap(), ["a0", "a1", "a2", "a3", "a4"]);
    assert_eq!(spread(Some("a4"), None, 3).unwrap(), ["a5", "a6", "a7"]);
    assert_eq!(spread(None, Some("a0"), 3).unwrap(), ["Zx", "Zy", "Zz"]);
    let between = "a04 a08 a0G a0K a0O a0V a0Z a0d a0l a0t a1 a14 a18 a1G a1O a1V a1Z a1d a1l a1t";
    let between: Vec<_> = between.split(' ').collect();
    assert_eq!(spread(Some("a0"), Some("a2"), 20).unwrap(), between);
}

#[test]
fn what_is_not_a_key_is_refused() {
    for key in ["", "a", "0", "b0", "a00", "a0V0", "ä0", "a0ä", "a0-", "-a0", " a0", "a0 ", "a\0"]
    {
        let refused = |result: Result<String, FractionalIndexError>| match result {
            Err(FractionalIndexError::Invalid { key: found, .. }) => assert_eq!(found, key),
            other => panic!("{key:?}: {other:?}"),
        };
        refused(between(Some(key), None));
        refused(between(None, Some(key)));
        refused(between_jittered(Some(key), None));
        refused(spread(None, Some(key), 2).map(|keys| keys.concat()));
    }
    assert!(between(None, Some("A00000000000000000000000000")).is_err(), "nothing is before it");
    for (before, after) in [("a1", "a0"), ("a0", "a0"), ("b00", "a0")] {
        let not_in_order =
            FractionalIndexError::NotInOrder { before: before.into(), after: after.into() };
        assert_eq!(between(Some(before), Some(after)), Err(not_in_order));
    }
}

#[test]
fn keys_of_a_list_that_grows_at_its_ends_are_short() {
    let (mut first, mut last) = (ok(None, None), ok(None, None));
    for _ in 0..200_000 {
        let (before, behind) = (ok(None, Some(&first)), ok(Some(&last), None));
        assert!(before < first && last < behind);
        (first, last) = (before, behind);
    }
    assert_eq!((first.len(), last.len()), (4, 4));
}

#[test]
fn inserts_at_the_same_place_make_keys_longer_by_one_for_every_five() {
    for always_behind in [true, false] {
        let (mut low, mut high) = ("a0".to_owned(), "a1".to_owned());
        for n in 1..=5_000 {
            let key = ok(Some(&low), Some(&high));
            assert!(low < key && key < high);
            assert!(key.len() <= 3 + n / 5, "{} characters after {n} inserts", key.len());
            *(if always_behind { &mut low } else { &mut high }) = key;
        }
    }
}

#[test]
fn jitter_adds_six_characters_and_does_not_add_up() {
    for random in [0, u32::MAX, 0x5555_5555, 0x1234_5678] {
        let (mut first, mut last) =
            (jittered(None, None, random).unwrap(), jittered(None, None, random).unwrap());
        for _ in 0..1_000 {
            let before = jittered(None, Some(&first), random).unwrap();
            let behind = jittered(Some(&last), None, random).unwrap();
            assert!(before < first && last < behind);
            (first, last) = (before, behind);
        }
        assert!(first.len() <= 10 && last.len() <= 10, "{first} {last}");
    }
}

#[test]
fn a_materializer_may_not_ask_for_a_random_key() {
    let (_, impurity) = crate::ambient::materialize(|| between_jittered(None, None));
    assert_eq!(impurity, Some(Impurity::Randomness));
    let (_, impurity) = crate::ambient::materialize(|| between(None, None));
    assert_eq!(impurity, None);
}

proptest! {
    /// Inserts at any places of a list, as users do.
    #[test]
    fn a_key_is_between_its_neighbours(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<u32>>()), 1..120),
    ) {
        let mut keys: Vec<String> = Vec::new();
        for (place, random) in places {
            let at = place.index(keys.len() + 1);
            let before = at.checked_sub(1).map(|before| keys[before].as_str());
            let after = keys.get(at).map(String::as_str);
            let key = match random {
                Some(random) => jittered(before, after, random).unwrap(),
                None => ok(before, after),
            };
            prop_assert_eq!(check(key.as_bytes()), Ok(()), "{}", key);
            prop_assert!(before.is_none_or(|before| before < key.as_str()), "{:?} {}", before, key);
            prop_assert!(after.is_none_or(|after| key.as_str() < after), "{} {:?}", key, after);
            let longest = before.map_or(1, str::len).max(after.map_or(1, str::len));
            prop_assert!(random.is_some() || key.len() <= longest + 1);
            keys.insert(at, key);
        }
    }

    #[test]
    fn keys_that_are_spread_are_in_order(count in 0usize..300, low in 0usize..3, high in 0usize..3) {
        let before = [None, Some("Zz"), Some("a0zzz")][low];
        let after = [None, Some("a0zzzV"), Some("b00")][high];
        let keys = spread(before, after, count).unwrap();
        prop_assert_eq!(keys.len(), count);
        let all: Vec<_> = before.into_iter().chain(keys.iter().map(String::as_str)).chain(after).collect();
        prop_assert!(all.is_sorted_by(|left, right| left < right), "{:?}", all);
    }

    #[test]
    fn any_texts_give_a_key_between_them_or_an_error(before in "[A-Za-c0-9]{0,5}", after in "[A-Za-c0-9]{0,5}") {
        if let Ok(key) = between(Some(&before), Some(&after)) {
            prop_assert!(before < key && key < after);
        }
    }
}
