//! The objects of the interface, as far as the tools read them.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use gannet_core::param::{AllocPolicy, DiskTemplate};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::ordered::{Count, Ordered, Whole};

#[derive(Debug, Deserialize)]
pub(super) struct Input<'a> {
    pub nodegroups: Ordered<Group>,
    #[serde(borrow)]
    pub nodes: Ordered<Node<'a>>,
    #[serde(borrow)]
    pub instances: Ordered<Instance<'a>>,
    pub cluster_tags: Vec<String>,
    pub enabled_hypervisors: Vec<String>,
    #[serde(borrow)]
    pub request: &'a RawValue,
}

#[derive(Debug, Deserialize)]
pub(super) struct Group {
    pub name: String,
    #[serde(deserialize_with = "parsed")]
    pub alloc_policy: AllocPolicy,
    pub networks: Vec<String>,
    pub ipolicy: Policy,
    pub tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Policy {
    pub std: Spec,
    pub minmax: Vec<MinMax>,
    pub disk_templates: Vec<Template>,
    pub vcpu_ratio: f64,
    pub spindle_ratio: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct MinMax {
    pub min: Spec,
    pub max: Spec,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Spec {
    pub memory_size: Count,
    pub cpu_count: Count,
    pub disk_size: Count,
    pub disk_count: Count,
    pub nic_count: Count,
    pub spindle_use: Count,
}

#[derive(Debug, Deserialize)]
pub(super) struct Node<'a> {
    pub offline: bool,
    pub drained: bool,
    #[serde(borrow)]
    pub group: Text<'a>,
    pub vm_capable: Option<bool>,
    pub ndparams: NodeParams,
    #[serde(default)]
    pub tags: Vec<String>,
    pub total_memory: Option<Count>,
    pub reserved_memory: Option<Count>,
    pub free_memory: Option<Whole>,
    pub total_disk: Option<Count>,
    pub free_disk: Option<Whole>,
    pub total_cpus: Option<Count>,
    pub reserved_cpus: Option<Count>,
    pub total_spindles: Option<Count>,
    pub free_spindles: Option<Whole>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NodeParams {
    pub exclusive_storage: bool,
    pub spindle_count: Option<Count>,
}

/// An instance that exists, or one that is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Instance<'a> {
    pub disk_space_total: Count,
    pub disks: Vec<Disk>,
    pub memory: Count,
    pub vcpus: Count,
    pub tags: Vec<String>,
    pub disk_template: Template,
    pub spindle_use: Count,
    pub nics: Vec<Nic>,
    #[serde(borrow)]
    pub admin_state: Option<Text<'a>>,
    pub forthcoming: Option<bool>,
    /// The primary and the secondary one; of new instances none.
    #[serde(default, borrow)]
    pub nodes: Vec<Text<'a>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Disk {
    pub size: Count,
    pub spindles: Option<Count>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Nic {
    pub network: Option<String>,
}

/// A disk template by its name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Template(pub DiskTemplate);

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer).map(Self)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error> {
    struct Word<T>(PhantomData<T>);
    impl<T: FromStr> de::Visitor<'_> for Word<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(|_| E::custom(format!("'{text}' is not known")))
        }
    }
    deserializer.deserialize_str(Word(PhantomData))
}

/// A text that lies in the input, unless it is escaped there.
#[derive(Debug)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> de::Visitor<'de> for Any {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Any)
    }
}
