use super::*;

const MS: Duration = Duration::from_millis(1);

fn cost(time: Duration) -> Cost {
    Cost { time, rows: 2, bytes: 10, ..Cost::default() }
}

fn texts(name: &str) -> Texts {
    Texts { fingerprint: name.as_bytes().into(), example: name.as_bytes().into(), is_cut: false }
}

/// Spread over all digests, as a hash is.
fn digest(number: u64) -> u64 {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

fn names(top: &Top) -> Vec<String> {
    let names = top.report().top.into_iter();
    names.map(|entry| String::from_utf8_lossy(&entry.texts.fingerprint).into_owned()).collect()
}

#[test]
fn numbers_of_one() {
    let top = Top::new(10, MS);
    for (time, is_error, at) in [(3, false, 10), (1, true, 20), (200, false, 30)] {
        let cost = Cost { is_error, ..cost(time * MS) };
        top.count(7, &cost, at * MS, || texts("a"));
    }
    let fetch = Cost { is_continued: true, ..cost(MS) };
    top.count(7, &fetch, 40 * MS, || texts("a"));
    let report = top.report();
    let [entry] = report.top.as_slice() else { panic!("{report:?}") };
    assert_eq!((entry.calls, entry.errors, entry.rows, entry.bytes), (3, 1, 8, 40));
    assert_eq!((entry.time, entry.shortest(), entry.max), (205 * MS, MS, 200 * MS));
    assert_eq!((entry.first_at, entry.last_at), (10 * MS, 40 * MS));
    assert_eq!((entry.times.count(), entry.times.nanos), (3, 204_000_000));
    let totals = Totals { calls: 3, errors: 1, rows: 8, bytes: 40, time: 205 * MS, forgotten: 0 };
    assert_eq!((report.totals, report.since), (totals, MS));
    top.reset(50 * MS);
    let report = top.report();
    assert!(report.top.is_empty() && report.totals == Totals::default());
    assert_eq!(report.since, 50 * MS);
}

#[test]
fn the_most_costly_come_first_and_no_more_than_wanted() {
    let top = Top::new(3, MS);
    for number in 0..6_u32 {
        let time = (number * 7 % 6 + 1) * MS;
        top.count(digest(number.into()), &cost(time), MS, || texts(&time.as_millis().to_string()));
    }
    assert_eq!(names(&top), ["6", "5", "4"]);
    assert_eq!(top.report().totals.calls, 6);
}

/// A million different ones, each seen once, and a few that come again and again: memory is that of the table, and who is
/// costly stays, with every call that it had.
#[test]
fn a_flood_does_not_wash_away_who_is_costly() {
    const MOST: usize = 50;
    let top = Top::new(MOST, MS);
    for number in 0..1_000_000_u64 {
        let at = Duration::from_micros(number);
        top.count(digest(number), &cost(MS), at, || texts("once"));
        if number % 1000 == 0 {
            for costly in 0..20 {
                let digest = digest(u64::MAX / 2 + costly);
                top.count(digest, &cost(500 * MS), at, || texts("costly"));
            }
        }
    }
    let entries: usize = top.shards().map(|shard| shard.entries().len()).sum();
    assert_eq!(entries, SHARDS * Top::room(MOST));
    let rooms: usize = top.shards().map(|shard| shard.capacity()).sum();
    assert!(rooms < 8 * entries, "{rooms}");
    let report = top.report();
    assert_eq!(report.top.len(), MOST);
    for entry in &report.top[..20] {
        assert_eq!((&*entry.texts.fingerprint, entry.calls), (&b"costly"[..], 1000));
        assert_eq!(entry.time, 500 * MS * 1000);
    }
    assert_eq!(report.totals.calls, 1_000_000 + 20 * 1000);
    assert_eq!(report.totals.forgotten, 1_000_020 - entries as u64);
}

/// Who was costly yesterday makes room for who is now, though it took more in all.
#[test]
fn ranks_fade() {
    let top = Top::new(8, Duration::ZERO);
    let rooms = u64::try_from(SHARDS * Top::room(8)).expect("few");
    let fill = |numbers: std::ops::Range<u64>, name: &str, time: Duration, at: Duration| {
        for number in numbers {
            top.count(digest(number), &cost(time), at, || texts(name));
        }
    };
    let all_are = |name: &str| names(&top).iter().all(|own| own == name);
    fill(0..rooms / 2, "yesterday", 100 * MS, MS);
    // A flood of others on the same day changes nothing.
    fill(1000..1000 + 10 * rooms, "flood", MS, 2 * MS);
    assert!(all_are("yesterday"), "{:?}", names(&top));
    fill(100_000..100_000 + 10 * rooms, "today", MS, 24 * HALF_LIFE);
    assert!(all_are("today"), "{:?}", names(&top));
    // Also behind the point where ranks are written anew.
    fill(0..rooms / 2, "another day", 100 * MS, 200 * HALF_LIFE);
    fill(200_000..200_000 + 10 * rooms, "the next one", MS, 224 * HALF_LIFE);
    assert!(all_are("the next one"), "{:?}", names(&top));
}

#[test]
fn many_threads_lose_nothing() {
    let top = Top::new(100, MS);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for number in 0..20_000 {
                    top.count(digest(number % 10), &cost(MS), MS, || texts("a"));
                }
            });
        }
    });
    let report = top.report();
    assert_eq!(report.top.len(), 10);
    assert!(report.top.iter().all(|entry| entry.calls == 16_000 && entry.rows == 32_000));
    assert_eq!(report.totals.time, 160_000 * MS);
}
