//! `gnt-debug locks`, on request again and again.

use std::time::Duration;

use gannet_core::query::Resource;

use crate::context::{Context, Outcome};
use crate::exit::{Failure, SUCCESS};
use crate::table;

pub(super) fn run(context: &mut Context<'_>) -> Outcome {
    let Some(seconds) = context.args.int("interval") else {
        return table::list(context, Resource::Lock);
    };
    let pause = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0);
    let pause = pause.map(Duration::from_secs).ok_or_else(|| Failure::invalid("The interval is 1 second or more"))?;
    loop {
        let code = table::list(context, Resource::Lock)?;
        if code != SUCCESS {
            return Ok(code);
        }
        context.io.line("");
        context.io.flush();
        std::thread::sleep(pause);
    }
}
