//! Words that are written almost right.

/// Words that are shorter must be right, but for a double letter.
const SHORTEST: usize = 4;
/// From this length on two letters may be wrong.
const LONG: usize = 7;

/// Whether a word may be meant for another: it begins alike, and few letters are missing, too many,
/// others or in the wrong order, none of a short word. Both are ASCII in lowercase, or it is not.
pub(crate) fn is_misspelt(word: &str, meant: &str) -> bool {
    let (one, other) = (word.as_bytes(), meant.as_bytes());
    let letters = |text: &[u8]| text.iter().all(u8::is_ascii_lowercase);
    if !letters(one) || !letters(other) || one.first() != other.first() {
        return false;
    }
    let short = one.len().min(other.len());
    if short < SHORTEST {
        return one.len().abs_diff(other.len()) == 1
            && short > 1
            && undoubled(one) == undoubled(other);
    }
    let most = if short < LONG { 1 } else { 2 };
    one.len().abs_diff(other.len()) <= most && edits(one, other) <= most
}

fn undoubled(word: &[u8]) -> Vec<u8> {
    let mut letters = word.to_vec();
    letters.dedup();
    letters
}

/// The fewest letters to put in, take out, change or swap with the next, to make one the other.
fn edits(one: &[u8], other: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let change = last[column] + usize::from(letter != wanted);
            let mut fewest = change.min(last[column + 1] + 1).min(next[column] + 1);
            let swapped =
                row > 0 && column > 0 && one[row - 1] == *wanted && *letter == other[column - 1];
            if swapped {
                fewest = fewest.min(before[column - 1] + 1);
            }
            next.push(fewest);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_forgiven() {
        for (word, meant) in [
            ("napkn", "napkin"),
            ("napkim", "napkin"),
            ("napkiin", "napkin"),
            ("rols", "rolls"),
            ("krfat", "kraft"),
            ("serviet", "serviette"),
            ("clenning", "cleaning"),
            ("til", "till"),
            ("cupp", "cup"),
        ] {
            assert!(is_misspelt(word, meant), "{word}");
        }
    }

    #[test]
    fn another_word_is_none() {
        for (word, meant) in [
            ("cup", "cap"),
            ("bag", "big"),
            ("pipe", "wipe"),
            ("napkin", "napping"),
            ("unprinted", "printed"),
            ("fork", "knife"),
            ("12oz", "16oz"),
            ("größe", "große"),
            ("a", "aa"),
            ("", ""),
        ] {
            assert!(!is_misspelt(word, meant), "{word}");
        }
    }
}
