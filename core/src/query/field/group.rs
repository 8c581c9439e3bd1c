//! The fields of a node group, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Bool, Float, Number, Other, Text, Timestamp};

pub(super) const DEFAULT: &[&str] = &["name", "node_cnt", "pinst_cnt", "alloc_policy", "ndparams"];

pub(super) const FIELDS: &[Row] = &[
    ("alloc_policy", "AllocPolicy", Text, "Whether new instances may be placed here: preferred, last_resort or unallocable"),
    ("ctime", "CTime", Timestamp, "When it was created"),
    ("custom_diskparams", "CustomDiskParameters", Other, "Disk parameters set on the group itself"),
    ("custom_ipolicy", "CustomInstancePolicy", Other, "Parts of the instance policy set on the group itself"),
    ("custom_ndparams", "CustomNDParams", Other, "Node parameters set on the group itself"),
    ("diskparams", "DiskParameters", Other, "All disk parameters in effect"),
    ("ipolicy", "InstancePolicy", Other, "Instance policy in effect"),
    ("mtime", "MTime", Timestamp, "When it was last changed"),
    ("name", "Group", Text, "Name of the node group"),
    ("ndp/cpu_speed", "ndp/cpu_speed", Float, "Node parameter: CPU speed relative to the other nodes"),
    ("ndp/exclusive_storage", "ExclusiveStorage", Bool, "Node parameter: physical volumes are not shared between disks"),
    ("ndp/oob_program", "OutOfBandProgram", Other, "Node parameter: program for out-of-band management"),
    ("ndp/ovs", "OpenvSwitch", Bool, "Node parameter: Open vSwitch is used"),
    ("ndp/ovs_link", "OpenvSwitchLink", Other, "Node parameter: interface that connects Open vSwitch to the network"),
    ("ndp/ovs_name", "OpenvSwitchName", Other, "Node parameter: name of the Open vSwitch bridge"),
    ("ndp/spindle_count", "SpindleCount", Number, "Node parameter: number of spindles for instances"),
    ("ndp/ssh_port", "ndp/ssh_port", Number, "Node parameter: TCP port of sshd"),
    ("ndparams", "NDParams", Other, "All node parameters in effect"),
    ("node_cnt", "Nodes", Number, "Number of nodes"),
    ("node_list", "NodeList", Other, "Nodes of the group"),
    ("pinst_cnt", "Instances", Number, "Number of instances with a primary node of the group"),
    ("pinst_list", "InstanceList", Other, "Instances with a primary node of the group"),
    ("serial_no", "SerialNo", Number, "How often it was changed"),
    ("tags", "Tags", Other, "Its tags"),
    ("uuid", "UUID", Text, "Its UUID, which never changes"),
];
