//! Patterns over names: `*` stands for any run of characters, `?` for one.

/// Whether a whole name matches. Linear in the pattern for each star: what came before a
/// later star never has to be tried again.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(character) if *character == '?' || *character == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else {
                    return false;
                };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                read = taken + 1;
            }
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn whole_names_match() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("", "a", false),
            ("RSA*", "RSA-2048", true),
            ("RSA-*", "RSA", false),
            ("*.example.test:443", "www.example.test:443", true),
            ("*.example.test:443", "example.test:443", false),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("P-25?", "P-256", true),
            ("P-25?", "P-2560", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let hostile = "*a".repeat(1000);
        assert!(!matches(&hostile, &"a".repeat(900)));
    }
}
