//! `--disk` and `--net`: from the groups of parameters on the command line to those of opcodes.

use serde_json::{Value, json};

use crate::exit::Failure;
use crate::parse::{Dict, Ident, IdentValue, parse_unit};

/// Most disks or interfaces of one instance.
const MOST: usize = 16;

/// The position a group is for.
///
/// # Errors
/// It is no position.
pub(super) fn index(ident: &Ident, what: &str) -> Result<usize, Failure> {
    let number = ident.name.parse::<usize>().ok().filter(|&number| number < MOST);
    number.ok_or_else(|| Failure::invalid(format!("Invalid {what} index '{}' (0 to {})", ident.name, MOST - 1)))
}

/// The groups in the order of their positions; positions that are left out get no parameters.
///
/// # Errors
/// A position is none, or comes twice.
pub(super) fn by_index(idents: &[&Ident], what: &str) -> Result<Vec<Ident>, Failure> {
    let empty = |number: usize| Ident { name: number.to_string(), value: IdentValue::Params(Dict::new()) };
    let mut slots: Vec<Option<Ident>> = Vec::new();
    for &ident in idents {
        let index = index(ident, what)?;
        slots.resize(slots.len().max(index + 1), None);
        if slots[index].replace(ident.clone()).is_some() {
            return Err(Failure::invalid(format!("{what} {index} is given twice")));
        }
    }
    Ok(slots.into_iter().enumerate().map(|(number, slot)| slot.unwrap_or_else(|| empty(number))).collect())
}

/// The parameters of a group.
///
/// # Errors
/// The group is switched off (`no_0`) instead of having parameters.
pub(super) fn params(ident: &Ident) -> Result<Dict, Failure> {
    match &ident.value {
        IdentValue::Params(params) => Ok(params.clone()),
        IdentValue::Off | IdentValue::Inherit => Err(Failure::invalid(format!("'{}' needs parameters, as in N:key=value", ident.name))),
    }
}

/// The parameters of a disk: sizes in MiB, spindles as a number. With `is_new` there must be a size, or a volume to adopt.
///
/// # Errors
/// A value is none of its kind, or the size is missing.
pub(super) fn disk_params(ident: &Ident, is_new: bool) -> Result<Dict, Failure> {
    let mut params = params(ident)?;
    convert_disk(&mut params, &ident.name)?;
    if is_new && !params.contains_key("size") {
        if !params.contains_key("adopt") {
            return Err(Failure::invalid(format!("Missing size or adoption source for disk {}", ident.name)));
        }
        params.insert("size".into(), json!(0));
    }
    Ok(params)
}

/// Brings sizes and numbers of disk parameters into their form in opcodes.
///
/// # Errors
/// A value is none of its kind.
pub(super) fn convert_disk(params: &mut Dict, name: &str) -> Result<(), Failure> {
    if params.contains_key("size") && params.contains_key("adopt") {
        return Err(Failure::invalid(format!("Only one of 'size' and 'adopt' allowed for disk {name}")));
    }
    if let Some(size) = params.get_mut("size") {
        let mib = parse_unit(size.as_str().unwrap_or_default())
            .map_err(|error| Failure::invalid(format!("Invalid disk size for disk {name}: {error}")))?;
        *size = json!(mib);
    }
    if let Some(spindles) = params.get_mut("spindles") {
        let number: i64 = spindles
            .as_str()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Failure::invalid(format!("Invalid number of spindles for disk {name}: {spindles}")))?;
        *spindles = json!(number);
    }
    Ok(())
}

/// The modification a group asks for: `[action, position or name, parameters]` (`add`, `remove`, `attach`, `detach`, `N:add,…`,
/// `N:remove`, `N:key=value`).
///
/// # Errors
/// It asks for several at once, or a removal has parameters.
pub(super) fn modification(ident: &Ident) -> Result<(String, Value, Dict), Failure> {
    const ACTIONS: [&str; 5] = ["add", "attach", "detach", "modify", "remove"];
    if ident.value == IdentValue::Off {
        return Err(Failure::invalid(format!("'no_{0}' means nothing here; '{0}:remove' removes", ident.name)));
    }
    let mut params = params(ident)?;
    let (mut action, mut target) = ("modify".to_owned(), json!(-1));
    if ["add", "attach", "detach", "remove"].contains(&ident.name.as_str()) {
        action.clone_from(&ident.name);
    } else {
        target = ident.name.parse::<i64>().map_or_else(|_| json!(ident.name), |number| json!(number));
        let asked: Vec<&str> = ACTIONS.into_iter().filter(|action| params.contains_key(*action)).collect();
        match asked.as_slice() {
            [] => {}
            [one] => action = (*one).to_owned(),
            several => return Err(Failure::invalid(format!("Cannot {} at the same time", several.join(" and ")))),
        }
        for asked in asked {
            params.remove(asked);
        }
    }
    if action == "remove" && !params.is_empty() {
        return Err(Failure::invalid("Not accepting parameters on removal"));
    }
    Ok((action, target, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_ident_keyval;

    #[track_caller]
    fn check(text: &str, expected: Option<Value>) {
        let found = modification(&parse_ident_keyval(text).unwrap()).ok().map(|change| json!(change));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn modifications() {
        check("add:size=1g", Some(json!(["add", -1, {"size": "1g"}])));
        check("-1:add,size=1g", Some(json!(["add", -1, {"size": "1g"}])));
        check("0:add,size=1g", Some(json!(["add", 0, {"size": "1g"}])));
        check("remove", Some(json!(["remove", -1, {}])));
        check("eth0:remove", Some(json!(["remove", "eth0", {}])));
        check("1:ip=none,link=br0", Some(json!(["modify", 1, {"ip": "none", "link": "br0"}])));
        check("1:modify,ip=none", Some(json!(["modify", 1, {"ip": "none"}])));
        check("1:add,remove", None);
        check("1:remove,ip=none", None);
        check("no_1", None);
    }

    #[test]
    fn disks() {
        let disk = |text| disk_params(&parse_ident_keyval(text).unwrap(), true).ok().map(Value::Object);
        assert_eq!(disk("0:size=1g,mode=ro"), Some(json!({"size": 1024, "mode": "ro"})));
        assert_eq!(disk("0:adopt=lv1"), Some(json!({"size": 0, "adopt": "lv1"})));
        assert_eq!(disk("0:adopt=lv1,size=1g"), None);
        assert_eq!(disk("0"), None);
        assert_eq!(disk("0:size=1g,spindles=2"), Some(json!({"size": 1024, "spindles": 2})));
    }
}
