//! The fields of a network, in the order of their names.

use super::Row;
use crate::query::FieldKind::{Number, Other, Text, Timestamp};

pub(super) const DEFAULT: &[&str] = &["name", "network", "gateway", "mac_prefix", "group_list", "tags"];

pub(super) const FIELDS: &[Row] = &[
    ("ctime", "CTime", Timestamp, "When it was created"),
    ("external_reservations", "ExternalReservations", Text, "Addresses reserved for use outside the cluster"),
    ("free_count", "FreeCount", Number, "Number of free addresses"),
    ("gateway", "Gateway", Other, "IPv4 gateway"),
    ("gateway6", "IPv6Gateway", Other, "IPv6 gateway"),
    ("group_cnt", "NodeGroups", Number, "Number of node groups it is connected to"),
    ("group_list", "GroupList", Other, "Node groups it is connected to: name, mode, link, VLAN"),
    ("inst_cnt", "Instances", Number, "Number of instances that use it"),
    ("inst_list", "InstanceList", Other, "Instances that use it"),
    ("mac_prefix", "MacPrefix", Other, "Prefix of MAC addresses in this network"),
    ("map", "Map", Text, "The addresses as a picture: X used, . free"),
    ("mtime", "MTime", Timestamp, "When it was last changed"),
    ("name", "Network", Text, "Name of the network"),
    ("network", "Subnet", Text, "IPv4 subnet"),
    ("network6", "IPv6Subnet", Other, "IPv6 subnet"),
    ("reserved_count", "ReservedCount", Number, "Number of used or reserved addresses"),
    ("serial_no", "SerialNo", Number, "How often it was changed"),
    ("tags", "Tags", Other, "Its tags"),
    ("uuid", "UUID", Text, "Its UUID, which never changes"),
];
