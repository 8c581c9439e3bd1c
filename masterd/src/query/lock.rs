//! Locks (`gnt-debug locks`).

use gannet_core::error::WireError;
use gannet_core::id::JobId;
use gannet_core::query::Resource;

use super::cell::Cell;
use super::table::{Plan, Request, Table};
use crate::lock::LockInfo;

/// Locks that are held or waited for.
pub(crate) struct Locks;

/// A field of locks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    Mode,
    Name,
    Owner,
    Pending,
}

impl<'a> Table<'a> for Locks {
    type Row = &'a LockInfo;
    type Column = Column;

    const RESOURCE: Resource = Resource::Lock;

    fn column(name: &str) -> Option<Column> {
        Some(match name {
            "mode" => Column::Mode,
            "name" => Column::Name,
            "owner" => Column::Owner,
            "pending" => Column::Pending,
            _ => return None,
        })
    }

    fn cell(&self, row: &'a LockInfo, column: &Column) -> Cell<'a> {
        match column {
            Column::Mode => row.mode.map_or(Cell::Null, |mode| mode.to_string().into()),
            Column::Name => row.lock.to_string().into(),
            Column::Owner => Cell::texts(row.owners.iter().map(JobId::to_string)),
            Column::Pending => {
                let waiter = |(mode, job): &(gannet_core::lock::Mode, JobId)| (mode.to_string(), [job.to_string()]);
                Cell::json(row.pending.iter().map(waiter).collect::<Vec<_>>())
            }
        }
    }
}

/// Answers a request about locks, given all of them. A name that does not exist is a lock that nobody wants: no row.
///
/// # Errors
/// A filter that cannot be applied.
pub(crate) fn answer(locks: &[LockInfo], request: &Request<'_>) -> Result<String, WireError> {
    let mut named: Vec<(String, &LockInfo)> = locks.iter().map(|info| (info.lock.to_string(), info)).collect();
    super::sort_nicely(&mut named, |(name, _)| name);
    let plan = Plan::new::<Locks>(request)?;
    let rows = plan.select(&Locks, named.into_iter().map(|(_, info)| info).collect())?;
    Ok(plan.answer(&Locks, &rows))
}
