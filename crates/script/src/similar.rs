//! What somebody may have meant who wrote a name that does not exist.

/// The most edits that turn what was written into what was meant.
const MOST_EDITS: usize = 2;

/// The candidate that is most like `written`, if one is like it: at most two characters added, left out, replaced or
/// swapped with their neighbour. Letter case, `-` and `_` do not count. Of short names only one in three may differ.
pub fn similar<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let written = letters(written);
    let distances = candidates.into_iter().map(|candidate| {
        let letters = letters(candidate);
        let allowed = MOST_EDITS.min(letters.len() / 3);
        (edits(&written, &letters), allowed, candidate)
    });
    let close = distances.filter(|(edits, allowed, _)| edits <= allowed);
    close.min_by_key(|(edits, ..)| *edits).map(|(.., candidate)| candidate)
}

/// ` (did you mean ...?)`, or nothing.
pub fn proposal<'c>(written: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    similar(written, candidates).map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

/// The optimal string alignment distance. Long texts are never compared: their length alone tells.
fn edits(a: &[char], b: &[char]) -> usize {
    if a.len().abs_diff(b.len()) > MOST_EDITS {
        return usize::MAX;
    }
    // Three rows of the table are in use: for the prefixes of `a` that end two before, one before, and here.
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let count = |a: &str, b: &str| {
            edits(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        for (a, b, want) in [
            ("", "", 0),
            ("a", "", 1),
            ("query", "qeury", 1),
            ("query", "quer", 1),
            ("query", "querry", 1),
            ("query", "quary", 1),
            ("abcd", "badc", 2),
            ("ab", "cd", 2),
        ] {
            assert_eq!((count(a, b), count(b, a)), (want, want), "{a} {b}");
        }
    }

    #[test]
    fn what_is_like_a_name() {
        let names = ["read_query", "read_query_result", "init", "rows"];
        for (written, want) in [
            ("read_qeury", Some("read_query")),
            ("readQuery", Some("read_query")),
            ("read-query", Some("read_query")),
            ("read_query_resutls", Some("read_query_result")),
            ("inti", Some("init")),
            ("row", Some("rows")),
            ("exit", None),
            ("read_queries", None),
            ("query", None),
            ("", None),
        ] {
            assert_eq!(similar(written, names), want, "{written}");
        }
        assert_eq!(proposal("inti", names), " (did you mean init?)");
        assert_eq!(proposal("other", names), "");
    }
}
