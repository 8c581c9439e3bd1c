//! From a filter back to the text of `--filter`.

use super::{Comparison, Filter, FilterValue, text};

/// A filter that came over the wire and has no spelling as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPrintable {
    #[error("there is no text for an empty filter")]
    Empty,
    #[error("there is no text for 'and' or 'or' of less than two conditions")]
    ShortList,
    #[error("'{0}' is not a field name a filter text can have")]
    Field(String),
    /// Both kinds of quotes are in it, and backslashes stay in the value.
    #[error("no quotes fit around {0:?}")]
    Value(String),
}

pub(super) fn print(filter: &Filter) -> Result<String, NotPrintable> {
    match filter {
        Filter::Empty => Err(NotPrintable::Empty),
        Filter::And(filters) => print_list(filters, " and "),
        Filter::Or(filters) => print_list(filters, " or "),
        Filter::Not(inner) => print_not(inner),
        Filter::True(name) => Ok(field(name)?.to_owned()),
        Filter::Compare(comparison, name, wanted) => print_comparison(name, comparison.as_str(), wanted),
        Filter::Regex(name, regex) => print_regex(name, "=~", regex.as_str()),
        Filter::Contains(name, wanted) => Ok(format!("{} in {}", value(wanted)?, field(name)?)),
    }
}

fn print_not(inner: &Filter) -> Result<String, NotPrintable> {
    match inner {
        Filter::Compare(Comparison::Equal, name, wanted) => print_comparison(name, "!=", wanted),
        Filter::Regex(name, regex) => print_regex(name, "!~", regex.as_str()),
        Filter::Contains(name, wanted) => Ok(format!("{} not in {}", value(wanted)?, field(name)?)),
        other => Ok(format!("not {}", print_operand(other)?)),
    }
}

fn print_list(filters: &[Filter], keyword: &str) -> Result<String, NotPrintable> {
    if filters.len() < 2 {
        return Err(NotPrintable::ShortList);
    }
    let operands: Result<Vec<_>, _> = filters.iter().map(print_operand).collect();
    Ok(operands?.join(keyword))
}

/// Lists in lists get parentheses, needed or not: `a and b or c` is right for the parser and a riddle for people.
fn print_operand(filter: &Filter) -> Result<String, NotPrintable> {
    let text = print(filter)?;
    Ok(if matches!(filter, Filter::And(_) | Filter::Or(_)) { format!("({text})") } else { text })
}

fn print_comparison(name: &str, operator: &str, wanted: &FilterValue) -> Result<String, NotPrintable> {
    Ok(format!("{} {operator} {}", field(name)?, value(wanted)?))
}

fn print_regex(name: &str, operator: &str, expression: &str) -> Result<String, NotPrintable> {
    let mut body = String::with_capacity(expression.len());
    for c in expression.chars() {
        match c {
            '\\' => body.push_str(r"\\"),
            '/' => body.push_str(r"\/"),
            '\n' => body.push_str(r"\n"),
            '\r' => body.push_str(r"\r"),
            c => body.push(c),
        }
    }
    Ok(format!("{} {operator} m/{body}/", field(name)?))
}

fn field(name: &str) -> Result<&str, NotPrintable> {
    if text::is_field_name(name) { Ok(name) } else { Err(NotPrintable::Field(name.to_owned())) }
}

fn value(value: &FilterValue) -> Result<String, NotPrintable> {
    match value {
        FilterValue::Number(number) => Ok(number.to_string()),
        FilterValue::Text(wanted) => ['"', '\'']
            .into_iter()
            .map(|quote| format!("{quote}{wanted}{quote}"))
            .find(|quoted| text::unquote(quoted).as_ref() == Some(wanted))
            .ok_or_else(|| NotPrintable::Value(wanted.clone())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::FilterRegex, *};

    #[track_caller]
    fn check(text: &str, printed: &str) {
        assert_eq!(Filter::parse(text).unwrap().to_text().unwrap(), printed);
    }

    #[test]
    fn the_plain_spelling_is_chosen() {
        check("name='x'", r#"name == "x""#);
        check(r#"name == 'a"b'"#, r#"name == 'a"b'"#);
        check("not name == 5", "name != 5");
        check("not 'a' in tags", r#""a" not in tags"#);
        check("name !~ |a/b|i", r"name !~ m/(?i)a\/b/");
        check("a and b or c", "(a and b) or c");
        check("not (a or b)", "not (a or b)");
        check("not not a", "not not a");
        check("name =* '*.x'", r#"name =~ m/^[^.]*\\.x(\\..*)?$/"#);
    }

    #[test]
    fn what_has_no_text_says_so() {
        assert_eq!(Filter::Empty.to_text(), Err(NotPrintable::Empty));
        assert_eq!(Filter::And(vec![Filter::True("a".into())]).to_text(), Err(NotPrintable::ShortList));
        assert_eq!(Filter::True("or".into()).to_text(), Err(NotPrintable::Field("or".into())));
        assert_eq!(Filter::equal("a", "'\"").to_text(), Err(NotPrintable::Value("'\"".into())));
        assert_eq!(Filter::equal("a", "x\n").to_text(), Err(NotPrintable::Value("x\n".into())));
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let field = "[a-z][a-z0-9_/.]{0,5}".prop_filter("keyword", |f| text::is_field_name(f));
        let value = prop_oneof![
            any::<i64>().prop_map(FilterValue::Number),
            "[ a-z\"\\\\.é]{0,6}".prop_map(FilterValue::Text).prop_filter("quotes", |v| super::value(v).is_ok()),
        ];
        let comparison = prop_oneof![
            Just(Comparison::Equal),
            Just(Comparison::Less),
            Just(Comparison::Greater),
            Just(Comparison::LessOrEqual),
            Just(Comparison::GreaterOrEqual),
        ];
        let regex = "[a-z/#|^\\\\.\n\r\t\"]{0,6}".prop_filter_map("not a regex", |expression| FilterRegex::new(expression).ok());
        let leaf = prop_oneof![
            field.clone().prop_map(Filter::True),
            (comparison, field.clone(), value.clone()).prop_map(|(c, f, v)| Filter::Compare(c, f, v)),
            (field.clone(), regex).prop_map(|(f, r)| Filter::Regex(f, r)),
            (field, value).prop_map(|(f, v)| Filter::Contains(f, v)),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(Filter::negated),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
                prop::collection::vec(inner, 2..4).prop_map(Filter::Or),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_reads_back_as_the_same_filter(filter in filters()) {
            let text = filter.to_text().unwrap();
            prop_assert_eq!(Filter::parse(&text), Ok(filter.clone()), "{}", text);
        }

        #[test]
        fn json_reads_back_as_the_same_filter(filter in filters()) {
            let wire = serde_json::to_string(&filter).unwrap();
            prop_assert_eq!(serde_json::from_str::<Filter>(&wire).unwrap(), filter);
        }
    }
}
