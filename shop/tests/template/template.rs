//! The template.

use std::collections::BTreeMap;

use serde_json::Value;

/// The text of the template.
pub(crate) const TEXT: &str = include_str!("../../template.yaml");

/// The template, with aliases resolved and tags left out.
pub(crate) fn template() -> Value {
    serde_saphyr::from_str(TEXT).unwrap()
}

/// The properties of all resources of a type, by their logical IDs.
pub(crate) fn all(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap().iter();
    let of_kind = resources.filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(id, resource)| (id.clone(), resource["Properties"].clone())).collect()
}

/// The properties of a resource.
pub(crate) fn properties(id: &str) -> Value {
    let properties = template()["Resources"][id]["Properties"].clone();
    assert!(properties.is_object(), "there is no {id}");
    properties
}

/// A text, or each text of a list.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
        other => panic!("{other} is no text"),
    }
}
