//! The table of capabilities in `docs/protocol.md` says of every bit what the mask does with it.

use wire::Capabilities;

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The bits of a cell such as `2, 4, 12-14`.
fn bits(cell: &str) -> Vec<u32> {
    let number = |text: &str| text.trim().parse::<u32>().expect("a number of a bit");
    cell.split(',')
        .flat_map(|part| match part.split_once('-') {
            Some((first, last)) => number(first)..=number(last),
            None => number(part)..=number(part),
        })
        .collect()
}

#[test]
fn masked_in_the_document_and_in_the_code() {
    let rows = DOCUMENT.lines().skip_while(|line| !line.starts_with("| bit |")).skip(2);
    let mut seen = Vec::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, numbers, name, verdict, ..] = cells[..] else { panic!("{row}") };
        assert!(["followed", "passes", "masked"].contains(&verdict), "{row}");
        for bit in bits(numbers) {
            let capability = Capabilities::from_bits_retain(1 << bit);
            // TLS and compression are masked only where a driver, or an option, leaves them out.
            let followed = Capabilities::TRANSPORT.contains(capability);
            let masked = Capabilities::UNSUPPORTED.contains(capability) && !followed;
            assert_eq!(masked, verdict == "masked", "bit {bit}: {name}");
            seen.push(bit);
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..64).collect::<Vec<_>>(), "every bit has one row");
}
