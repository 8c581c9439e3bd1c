use serde_json::{Value, json};

use super::super::{Filter, MAX_DEPTH};
use super::*;

#[track_caller]
fn check(text: &str, expected: Value) {
    match Filter::parse(text) {
        Ok(filter) => assert_eq!(Value::from(&filter), expected, "{text}"),
        Err(error) => panic!("{error}"),
    }
}

/// What Ganeti's parser makes of these, asked from a running one.
#[test]
fn texts_and_their_json() {
    check("name", json!(["?", "name"]));
    check("not name", json!(["!", ["?", "name"]]));
    check("not not a", json!(["!", ["!", ["?", "a"]]]));
    check("not (a)", json!(["!", ["?", "a"]]));
    check("not(a)", json!(["!", ["?", "a"]]));
    check("a and b and c", json!(["&", ["?", "a"], ["?", "b"], ["?", "c"]]));
    check("(a and b) and c", json!(["&", ["&", ["?", "a"], ["?", "b"]], ["?", "c"]]));
    check("a and (b and c)", json!(["&", ["?", "a"], ["&", ["?", "b"], ["?", "c"]]]));
    check("a or b and not c", json!(["|", ["?", "a"], ["&", ["?", "b"], ["!", ["?", "c"]]]]));
    check("a and b or c and d", json!(["|", ["&", ["?", "a"], ["?", "b"]], ["&", ["?", "c"], ["?", "d"]]]));
    check("((a))", json!(["?", "a"]));
    check(r#"name == "x""#, json!(["==", "name", "x"]));
    check(r#"name = "x""#, json!(["==", "name", "x"]));
    check(r#"name=="x""#, json!(["==", "name", "x"]));
    check("name == 'x'", json!(["==", "name", "x"]));
    check("name == 'it''s'", json!(["==", "name", "it''s"]));
    check(r#"name == "a\"b""#, json!(["==", "name", "a\\\"b"]));
    check(r#"name == "a\\b""#, json!(["==", "name", "a\\\\b"]));
    check(r#"name == "a\nb""#, json!(["==", "name", "a\\nb"]));
    check(r#"name == """#, json!(["==", "name", ""]));
    check("x == 5", json!(["==", "x", 5]));
    check("x == -5", json!(["==", "x", -5]));
    check("x == +5", json!(["==", "x", 5]));
    check("x != 5", json!(["!", ["==", "x", 5]]));
    check(r#"x != "a""#, json!(["!", ["==", "x", "a"]]));
    check("x < 5", json!(["<", "x", 5]));
    check("x <= 5", json!(["<=", "x", 5]));
    check(r#"x > "a""#, json!([">", "x", "a"]));
    check("x >= 5", json!([">=", "x", 5]));
    check(r#""a" in tags"#, json!(["=[]", "tags", "a"]));
    check("5 in list", json!(["=[]", "list", 5]));
    check(r#""a" not in tags"#, json!(["!", ["=[]", "tags", "a"]]));
    check(r#""a" in in"#, json!(["=[]", "in", "a"]));
    check("name =~ m/foo/", json!(["=~", "name", "foo"]));
    check("name =~ /foo/", json!(["=~", "name", "foo"]));
    check("name =~ m/foo/i", json!(["=~", "name", "(?i)foo"]));
    check("name =~ m/foo/si", json!(["=~", "name", "(?is)foo"]));
    check("name =~ m/foo/is", json!(["=~", "name", "(?is)foo"]));
    check("name =~ m/foo/ i", json!(["=~", "name", "(?i)foo"]));
    check("name =~ m/foo/i and b", json!(["&", ["=~", "name", "(?i)foo"], ["?", "b"]]));
    check("a and name =~ m/foo/", json!(["&", ["?", "a"], ["=~", "name", "foo"]]));
    check("(name =~ m/foo/) and b", json!(["&", ["=~", "name", "foo"], ["?", "b"]]));
    check("name =~ m#foo#", json!(["=~", "name", "foo"]));
    check("name =~ m^foo^", json!(["=~", "name", "foo"]));
    check("name =~ m|foo|", json!(["=~", "name", "foo"]));
    check("name =~ m /foo/", json!(["=~", "name", "foo"]));
    check(r"name =~ m/a\.b/", json!(["=~", "name", "a.b"]));
    check(r"name =~ m/a\d+b/", json!(["=~", "name", "ad+b"]));
    check(r"name =~ m/a\/b/", json!(["=~", "name", "a/b"]));
    check(r"name =~ m/a\\d/", json!(["=~", "name", "a\\d"]));
    check(r"name =~ m/a\tb/", json!(["=~", "name", "a\tb"]));
    check("name =~ m|a/b|", json!(["=~", "name", "a/b"]));
    check("name =~ m//", json!(["=~", "name", ""]));
    check("name !~ m/foo/", json!(["!", ["=~", "name", "foo"]]));
    check(r#"name =* "*.site""#, json!(["=~", "name", "^[^.]*\\.site(\\..*)?$"]));
    check(r#"name !* "*.site""#, json!(["!", ["=~", "name", "^[^.]*\\.site(\\..*)?$"]]));
    check("name =* 'a?b-c'", json!(["=~", "name", "^a[^.]b\\-c(\\..*)?$"]));
    check(r#"name =* "a b#c&d~""#, json!(["=~", "name", "^a\\ b\\#c\\&d\\~(\\..*)?$"]));
    check(r#"name =* "**""#, json!(["=~", "name", "^[^.]*[^.]*(\\..*)?$"]));
    check(r#"name =* "%x_y@z!""#, json!(["=~", "name", "^%x_y@z!(\\..*)?$"]));
    check("disk.size/0 > 10", json!([">", "disk.size/0", 10]));
    check("be/memory == 5", json!(["==", "be/memory", 5]));
    check("in", json!(["?", "in"]));
    check("nota", json!(["?", "nota"]));
    check("not_x", json!(["?", "not_x"]));
    check("name == \"a\tb\"", json!(["==", "name", "a\tb"]));
    check("a\tand\nb", json!(["&", ["?", "a"], ["?", "b"]]));
    check(r#"name == "\x41""#, json!(["==", "name", "\\x41"]));
    check("android and order", json!(["&", ["?", "android"], ["?", "order"]]));
    check("not android", json!(["!", ["?", "android"]]));
    check("a.b/c_d", json!(["?", "a.b/c_d"]));
    check("a!=5", json!(["!", ["==", "a", 5]]));
    check("a<5", json!(["<", "a", 5]));
    check("a =~ m/x/i or b", json!(["|", ["=~", "a", "(?i)x"], ["?", "b"]]));
    check(r#"name == "x" and not "t" in tags"#, json!(["&", ["==", "name", "x"], ["!", ["=[]", "tags", "t"]]]));
    check(r#"name == "x" or "t" not in tags"#, json!(["|", ["==", "name", "x"], ["!", ["=[]", "tags", "t"]]]));
}

#[test]
fn taken_though_ganeti_trips_over_it() {
    check("name =~ m/foo/ii", json!(["=~", "name", "(?i)foo"]));
    check("name =~ m/foo/ and b", json!(["&", ["=~", "name", "foo"], ["?", "b"]]));
    check("name =~ m/foo/ or b", json!(["|", ["=~", "name", "foo"], ["?", "b"]]));
    check("a == 5and b", json!(["&", ["==", "a", 5], ["?", "b"]]));
}

#[track_caller]
fn refused(text: &str, position: usize, problem: &str) {
    let error = Filter::parse(text).unwrap_err();
    assert_eq!((error.position(), error.problem.as_str()), (position, problem), "{text}");
}

#[test]
fn mistakes_are_pointed_at() {
    refused("", 0, "Expected field, value, 'not' or '(', found end of text");
    refused("()", 1, "Expected field, value, 'not' or '(', found ')'");
    refused("_a", 0, "Expected field, value, 'not' or '(', found '_'");
    refused("== 5", 0, "Expected field, value, 'not' or '(', found '='");
    refused("a b", 2, "Expected 'and', 'or' or end of text, found 'b'");
    refused("a)", 1, "Expected 'and', 'or' or end of text, found ')'");
    refused("a-b", 1, "Expected 'and', 'or' or end of text, found '-'");
    refused("(a", 2, "Expected 'and', 'or' or ')', found end of text");
    refused("a and", 5, "Expected field, value, 'not' or '(', found end of text");
    refused("a == 5 and", 10, "Expected field, value, 'not' or '(', found end of text");
    refused("not", 3, "Expected field, value, 'not' or '(', found end of text");
    refused("or", 0, "Expected field, found 'o'");
    refused("a == b", 5, "Expected quoted string or integer, found 'b'");
    refused("name ==", 7, "Expected quoted string or integer, found end of text");
    refused("x == - 5", 5, "Expected integer, found '-'");
    refused("a == 99999999999999999999", 5, "Integer out of range");
    refused("1a", 1, "Expected 'in' or 'not in', found 'a'");
    refused("'a' not tags", 8, "Expected 'in', found 't'");
    refused("'a' in 5", 7, "Expected field, found '5'");
    refused("a == 'x", 5, "String without closing '");
    refused("a == \"x\ny\"", 5, "String without closing \"");
    refused(r#"a == "\xg""#, 5, "String without closing \"");
    refused("a =* 5", 5, "Expected quoted string, found '5'");
    refused("a =~ 'x'", 5, "Expected regular expression between /, #, ^ or |, found '''");
    refused("a =~ m,x,", 6, "Expected regular expression between /, #, ^ or |, found ','");
    refused("a =~ m/x", 6, "Regular expression without closing /");
    refused("a =~ m/x/gi", 5, "Unknown regular expression flags: 'g'");
    refused("a =~ m/(/", 5, "Invalid regular expression '(': unclosed group");
}

#[test]
fn the_message_is_ganetis() {
    let error = Filter::parse("a ==\n'b' ü").unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to parse query filter 'a ==\n'b' ü': Expected 'and', 'or' or end of text, found 'ü' (at char 9), (line:2, col:5)"
    );
    assert_eq!(
        error.details(),
        ["'b' ü".to_owned(), "    ^".to_owned(), "Expected 'and', 'or' or end of text, found 'ü' (at char 9), (line:2, col:5)".to_owned(),]
    );
}

fn depth(value: &Value) -> usize {
    value.as_array().map_or(0, |items| 1 + items.iter().map(depth).max().unwrap_or(0))
}

#[test]
fn nesting_has_a_limit_that_json_can_take() {
    let deepest = |levels: usize| "not (a and b or ".repeat(levels) + "'x' not in c" + &")".repeat(levels);
    let filter = Filter::parse(&deepest(MAX_NESTING / 2)).unwrap();
    let wire = Value::from(&filter);
    assert!(depth(&wire) < MAX_DEPTH);
    assert_eq!(Filter::try_from(&wire).as_ref(), Ok(&filter));
    let error = Filter::parse(&deepest(MAX_NESTING)).unwrap_err();
    assert_eq!(error.problem, "More than 32 parentheses and 'not's inside each other");
    assert!(Filter::parse(&"(".repeat(100_000)).is_err());
    assert!(Filter::parse(&"not ".repeat(100_000)).is_err());
    assert!(Filter::parse(&format!("a{}", " or a".repeat(10_000))).is_ok());
}

mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            if let Err(error) = Filter::parse(&text) {
                let _ = (error.to_string(), error.details(), error.position());
            }
        }

        #[test]
        fn no_text_of_pieces_panics(pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "name", "and", "or", "not", "in", " ", "\n", "(", ")", "==", "=", "!=", "<=", ">", "=~", "!~", "=*", "!*", "m/", "/",
            "m|x|", "i", "\\", "\"", "'", "'v'", "5", "-", "é", "\\x4", "[", "*",
        ]), 0..20)) {
            let text = pieces.concat();
            match Filter::parse(&text) {
                // What was read is read again as the same.
                Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_text().unwrap()), Ok(filter)),
                Err(error) => {
                    let _ = (error.to_string(), error.details(), error.position());
                }
            }
        }
    }
}
