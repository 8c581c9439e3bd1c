//! Names that may be given without their domain.

/// The name in `names` that `wanted` means: an equal one, or the only one that begins with it and goes on with a dot.
///
/// # Errors
/// None, or several.
pub fn lookup<'a>(names: impl IntoIterator<Item = &'a str>, wanted: &str) -> Result<&'a str, &'static str> {
    let mut partial = Err("unknown");
    let mut count = 0;
    for name in names {
        if name == wanted {
            return Ok(name);
        }
        if name.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')) {
            count += 1;
            partial = if count == 1 { Ok(name) } else { Err("ambiguous") };
        }
    }
    partial
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_miss_its_domain() {
        let names = ["web.a.example", "web.b.example", "db.a.example"];
        assert_eq!(lookup(names, "db"), Ok("db.a.example"));
        assert_eq!(lookup(names, "web.b"), Ok("web.b.example"));
        assert_eq!(lookup(names, "web"), Err("ambiguous"));
        assert_eq!(lookup(names, "we"), Err("unknown"));
    }
}
