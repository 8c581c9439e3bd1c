//! Rows of a list of all instances as text, kept from one list to the next.
//!
//! ```text
//!   configuration as it was, and is:  the same  -->  all texts serve again
//!                                     other instances or disks  -->  those rows are written anew
//!                                     another cluster, node, group or network  -->  all are
//! ```
//!
//! What is live is not in the texts but written between their pieces each time: a list is never older than its question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gannet_core::config::{Config, Instance};
use gannet_core::error::WireError;
use gannet_core::id::InstanceUuid;
use gannet_core::query::Resource;

use super::{Instances, candidates};
use crate::query::live::Guests;
use crate::query::table::{Answer, Plan, Request, is_live};

/// Bytes of a live cell, nearly.
const LIVE_CELL: usize = 32;

/// The texts of the list that was asked for last. One list is kept, since whoever asks again and again asks the same.
#[derive(Debug, Default)]
pub(crate) struct Texts(Mutex<Option<Arc<Kept>>>);

#[derive(Debug)]
struct Kept {
    config: Config,
    fields: Vec<String>,
    /// In the order of the list.
    rows: Vec<Arc<Text>>,
}

/// One row without its live cells.
#[derive(Debug)]
struct Text {
    instance: Arc<Instance>,
    bytes: Box<[u8]>,
    /// Where the live cells belong, one place for each.
    places: Box<[usize]>,
}

impl Texts {
    /// The answer to `request`, which is for all instances: it must have no filter.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub(crate) fn answer(&self, config: &Config, live: Option<&Guests>, request: &Request<'_>) -> Result<String, WireError> {
        let kept = self.kept(config, request)?;
        let plan = Plan::new::<Instances<'_>>(request)?;
        let table = Instances::new(config, live);
        let columns = live_columns(request);
        let mut answer = Answer::new(&plan, 0);
        answer.reserve(kept.rows.iter().map(|text| text.bytes.len() + LIVE_CELL * columns.len() + 1).sum());
        for text in &kept.rows {
            let out = answer.row();
            let mut from = 0;
            for (place, column) in text.places.iter().zip(&columns) {
                out.extend_from_slice(&text.bytes[from..*place]);
                from = *place;
                plan.write_cell(&table, &text.instance, *column, out);
            }
            out.extend_from_slice(&text.bytes[from..]);
        }
        Ok(answer.finish())
    }

    /// The texts for `config`, as many as possible taken over from the last list.
    fn kept(&self, config: &Config, request: &Request<'_>) -> Result<Arc<Kept>, WireError> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.filter(|last| last.fields == request.fields && last.config.has_same_surroundings(config));
        if let Some(last) = last.as_ref().filter(|last| last.config.has_same_instances(config)) {
            return Ok(last.clone());
        }
        let plan = Plan::new::<Instances<'_>>(request)?;
        let table = Instances::new(config, None);
        let columns = live_columns(request);
        let known: HashMap<&InstanceUuid, &Arc<Text>> =
            last.iter().flat_map(|last| &last.rows).map(|text| (&text.instance.uuid, text)).collect();
        let same_disks = |instance: &Instance| {
            let disk = |config: &Config, uuid| config.disk(uuid).map(Arc::as_ptr);
            last.as_ref().is_some_and(|last| instance.disks.iter().all(|uuid| disk(&last.config, uuid) == disk(config, uuid)))
        };
        let (rows, _) = candidates(config, None)?;
        let texts = rows.into_iter().filter_map(|row| config.instance(&row.uuid)).map(|row| match known.get(&row.uuid) {
            Some(text) if Arc::ptr_eq(&text.instance, row) && same_disks(row) => (*text).clone(),
            _ => Arc::new(cut(&plan, &table, row, &columns)),
        });
        let kept = Arc::new(Kept { rows: texts.collect(), config: config.clone(), fields: request.fields.to_vec() });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        Ok(kept)
    }
}

fn live_columns(request: &Request<'_>) -> Vec<usize> {
    (0..request.fields.len()).filter(|index| is_live(Resource::Instance, &request.fields[*index])).collect()
}

/// Writes the row without its live cells.
fn cut<'a>(plan: &Plan<'_, super::Column<'a>>, table: &Instances<'a>, row: &'a Arc<Instance>, live: &[usize]) -> Text {
    let mut bytes = Vec::new();
    let mut places = Vec::with_capacity(live.len());
    for index in 0..plan.width() {
        if live.contains(&index) {
            places.push(bytes.len());
        } else {
            plan.write_cell(table, row, index, &mut bytes);
        }
    }
    plan.write_end(&mut bytes);
    Text { instance: row.clone(), bytes: bytes.into(), places: places.into() }
}
