//! Keywords by word: a hash table that the compiler fills.

use super::TokenId;

/// Slots of the table, a power of two; 233 keywords leave most of them free, so a word that is no
/// keyword usually meets a free slot at once.
const SLOTS: usize = 1024;

/// Open addressing: a keyword is in the first free slot at or behind the one its hash names.
static TABLE: [Option<TokenId>; SLOTS] = table();

/// The keyword that `word` spells in any mix of cases, or `None`.
pub fn find(word: &[u8]) -> Option<TokenId> {
    let mut slot = first_slot(word);
    // Ends, for most slots are free.
    while let Some(id) = TABLE.get(slot).copied().flatten() {
        if id.keyword().is_some_and(|keyword| word.eq_ignore_ascii_case(keyword.as_bytes())) {
            return Some(id);
        }
        slot = following(slot);
    }
    None
}

/// A hash of the length and three letters, the same for both cases: few operations matter more here
/// than few collisions, as most words of a query are short.
#[allow(clippy::as_conversions, reason = "widening; `From` is not const")]
const fn first_slot(word: &[u8]) -> usize {
    let middle = word.split_at(word.len() / 2).1;
    let (Some(first), Some(middle), Some(last)) = (word.first(), middle.first(), word.last())
    else {
        return 0;
    };
    let letters =
        ((*first | 0x20) as usize * 31 + (*middle | 0x20) as usize) * 37 + (*last | 0x20) as usize;
    (letters * 41 + word.len()) % SLOTS
}

const fn following(slot: usize) -> usize {
    (slot + 1) % SLOTS
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
const fn table() -> [Option<TokenId>; SLOTS] {
    let mut table = [None; SLOTS];
    let mut next = 0;
    while next < TokenId::ALL.len() {
        let id = TokenId::ALL[next];
        if let Some(keyword) = id.keyword() {
            let mut slot = first_slot(keyword.as_bytes());
            while table[slot].is_some() {
                slot = following(slot);
            }
            table[slot] = Some(id);
        }
        next += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_found_in_any_case() {
        let keywords: Vec<_> =
            TokenId::ALL.iter().filter_map(|&id| Some((id, id.keyword()?))).collect();
        assert_eq!(keywords.len(), 233);
        for (id, keyword) in keywords {
            assert_eq!(find(keyword.as_bytes()), Some(id));
            assert_eq!(find(keyword.to_ascii_lowercase().as_bytes()), Some(id));
        }
        assert_eq!(find(b"sElEcT"), Some(TokenId::SqlSelect));
    }

    #[test]
    fn only_whole_words_are_keywords() {
        for word in ["", "S", "SELEC", "SELECTS", "TRANSACTION", "begin", "SE\u{c}ECT"] {
            assert_eq!(find(word.as_bytes()), None, "{word:?}");
        }
        // Differ from a keyword in the bit that tells the cases of letters apart.
        assert_eq!(find(b"NO\x7fWRITE_TO_BINLOG"), None);
        assert_eq!(find(b"X\x1109"), None);
    }

    #[test]
    fn no_keyword_is_far_from_its_slot() {
        for id in TokenId::ALL {
            let Some(keyword) = id.keyword() else { continue };
            let first = first_slot(keyword.as_bytes());
            let taken = (0..8).map(|step| TABLE[(first + step) % SLOTS]);
            assert!(taken.into_iter().any(|slot| slot == Some(id)), "{keyword}");
        }
    }
}
