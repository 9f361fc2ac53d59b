//! E-mail addresses: how they look. Asks nobody whether one exists.

/// An address as it is kept: trimmed, its domain in lower case. `None` if it is none: one `@`, at most
/// 254 bytes, a local part of at most 64 as people have them (no quotes, no brackets, no stray dots), and a
/// domain of two labels or more that ends in letters.
#[must_use]
pub fn canonical(written: &str) -> Option<String> {
    let written = written.trim();
    let (local, domain) = written.split_once('@')?;
    if written.len() > 254 || !is_local(local) || !is_domain(domain) {
        return None;
    }
    Some(format!("{local}@{}", domain.to_lowercase()))
}

fn is_local(local: &str) -> bool {
    let admitted = |c: char| match c {
        '"' | '(' | ')' | ',' | ':' | ';' | '<' | '>' | '@' | '[' | ']' | '\\' => false,
        other => !other.is_whitespace() && !other.is_control(),
    };
    (1..=64).contains(&local.len())
        && local.chars().all(admitted)
        && local.split('.').all(|part| !part.is_empty())
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.')
        && domain.split('.').all(label)
        && top.chars().count() >= 2
        && !top.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn addresses() {
        for (written, expected) in [
            ("a@b.co", "a@b.co"),
            (" Lucia.Ferrer+x@Example.ORG ", "Lucia.Ferrer+x@example.org"),
            ("o'neil@sub.example.com", "o'neil@sub.example.com"),
            ("ü@exämple.de", "ü@exämple.de"),
            ("a@xn--exmple-cua.xn--p1ai", "a@xn--exmple-cua.xn--p1ai"),
        ] {
            assert_eq!(canonical(written).as_deref(), Some(expected), "{written}");
        }
        for bad in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b..co",
            "a b@c.de",
            "a@b@c.de",
            "a@-b.co",
            "a@b.c",
            "a@127.0.0.1",
            ".a@b.co",
            "a.@b.co",
            "a..b@b.co",
            "<a>@b.co",
            "a@b_c.co",
            &format!("{}@b.co", "a".repeat(65)),
            &format!("a@{}co", "b.".repeat(130)),
        ] {
            assert_eq!(canonical(bad), None, "{bad}");
        }
    }
}
