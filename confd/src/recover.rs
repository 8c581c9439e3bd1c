//! A group whose majority is lost for good begins anew with one copy: this node's.
//!
//! The copy gets one more entry, which says that this member is the only one, in the first term of a new generation (see
//! `raft::generation`). Members of the lost group that come back find out that they are of the past, and are made anew.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::daemon::Options;
use crate::error::Error;
use crate::identity::{DataDir, Identity};
use crate::raft::{Answer, Group, Network, Transport, alone, generation, term_of};
use crate::status::Member;
use crate::store::survivor::{self, Copy};
use crate::tls::Tls;

/// A member that does not say by then what it has does not take part in anything.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// Before its start a member asks the others for so long whether it was cut off. Dead processes refuse at once; only dead machines
/// take the time.
const START_LIMIT: Duration = Duration::from_millis(500);

/// What an operator must know before.
#[derive(Debug)]
pub struct Survey {
    own: Member,
    copy: Copy,
    /// The highest term that this node knows.
    term: u64,
    group: Group,
    answers: Vec<(Member, Option<Answer>)>,
}

/// Looks at the copy of this node, whether or not its confd runs, and asks the other members. `epoch`: the highest that this node's
/// agent has seen.
///
/// # Errors
/// There is no copy, or it cannot be read, or it was cut off.
pub async fn survey(options: &Options, epoch: u64) -> Result<Survey, Error> {
    let dir = &options.data_dir;
    let identity = Identity::load(dir)?;
    let identity = identity.ok_or_else(|| Error::invalid(format!("{} has no copy of a cluster's state", dir.display())))?;
    generation::Generation::load(dir)?;
    let (copy, term, group) = look(dir)?;
    let own = group.members.iter().find(|member| member.id == identity.id).cloned();
    let own = own.ok_or_else(|| Error::invalid("this node had not become a member yet: its copy is not complete"))?;
    let answers = ask(options, &group, own.id, ANSWER_LIMIT).await?;
    Ok(Survey { own, copy, term: term.max(epoch), group, answers })
}

fn look(dir: &Path) -> Result<(Copy, u64, Group), Error> {
    let copy = survivor::look(dir).map_err(|error| Error::unavailable(crate::error_chain(&error)))?;
    let none = || Error::invalid("this node had not become a member yet: there is no state in its copy");
    let group = Group::parse(copy.membership.as_ref().ok_or_else(none)?)?;
    let term = term_of(copy.vote.as_deref())?.max(copy.last.map_or(0, |at| at.term));
    Ok((copy, term, group))
}

async fn ask(options: &Options, group: &Group, own: u64, limit: Duration) -> Result<Vec<(Member, Option<Answer>)>, Error> {
    let tls = Tls::load(&options.ca, &options.node_cert, &options.member_cert)?;
    let transport = tls.map_or(Transport::Plain, |tls| Transport::Tls(Box::new(tls.client)));
    let network = Network::new(transport, None);
    let others = group.members.iter().filter(|member| member.id != own);
    let asked = others.map(async |member| {
        let answer = network.probe(member, limit).await;
        if let Err(error) = &answer {
            tracing::info!(member = member.name, %error, "a member does not say what it has");
        }
        (member.clone(), answer.ok())
    });
    Ok(futures::future::join_all(asked).await)
}

impl Survey {
    /// Why the group must not begin anew with this copy.
    pub fn refusal(&self) -> Option<String> {
        let answers = || self.answers.iter().filter_map(|(member, answer)| Some((member, answer.as_ref()?)));
        if let Some((member, _)) = answers().find(|(_, answer)| generation::of(answer.term) > generation::of(self.term)) {
            return Some(format!("the cluster was recovered already, and {} belongs to it; this copy is of the past", member.name));
        }
        let there: BTreeSet<u64> = answers().map(|(member, _)| member.id).chain([self.own.id]).collect();
        if self.group.is_majority(&there) {
            let names: Vec<&str> = answers().map(|(member, _)| member.name.as_str()).collect();
            let who = if names.is_empty() { "this node alone".to_owned() } else { format!("with {}", names.join(", ")) };
            return Some(format!(
                "a majority of the voting master candidates can be reached ({who}): nothing is lost, and the cluster elects a master by \
                 itself; `gnt-cluster master-failover` chooses which"
            ));
        }
        let own = self.copy.last.map_or((0, 0), |at| (at.term, at.index));
        let newer = answers().filter(|(_, answer)| answer.last > own).max_by_key(|(_, answer)| answer.last);
        newer.map(|(member, _)| format!("{} can be reached and has a newer copy: run this command there", member.name))
    }
}

impl fmt::Display for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, term) = self.copy.last.map_or((0, 0), |at| (at.index, at.term));
        let kind = if self.own.voter { "voter" } else { "learner, which does not vote" };
        writeln!(
            f,
            "This node's copy ({}, {kind}) ends with entry {index} of term {term}; it last changed {}.",
            self.own.name,
            ago(self.copy.changed)
        )?;
        for (member, answer) in &self.answers {
            let kind = if member.voter { "voter" } else { "learner" };
            match answer {
                Some(answer) => writeln!(
                    f,
                    "{} ({}, {kind}): answers; has entry {} of term {}",
                    member.name, member.address, answer.last.1, answer.last.0
                )?,
                None => writeln!(f, "{} ({}, {kind}): cannot be reached", member.name, member.address)?,
            }
        }
        Ok(())
    }
}

fn ago(then: Option<SystemTime>) -> String {
    match then.and_then(|then| then.elapsed().ok()) {
        Some(age) if age.as_secs() < 120 => format!("{} s ago", age.as_secs()),
        Some(age) if age.as_secs() < 7200 => format!("{} min ago", age.as_secs() / 60),
        Some(age) => format!("{} h ago", age.as_secs() / 3600),
        None => "at an unknown time".to_owned(),
    }
}

/// Makes the copy of this node the only one, while its confd is stopped, and returns the first term of the new group.
///
/// # Errors
/// As [`survey`]; it is refused; or the directory is in use.
pub async fn recover(options: &Options, epoch: u64) -> Result<u64, Error> {
    let data = DataDir::take(&options.data_dir)?;
    let survey = survey(options, epoch).await?;
    if let Some(refusal) = survey.refusal() {
        return Err(Error::invalid(refusal));
    }
    let heard = survey.answers.iter().filter_map(|(_, answer)| Some(answer.as_ref()?.term)).max().unwrap_or(0);
    let term = generation::first_term_after(survey.term.max(heard));
    let (group, vote) = alone(&survey.own, term)?;
    let written = survivor::rewrite(data.path(), term, &group, &vote);
    written.map_err(|error| Error::unavailable(crate::error_chain(&error)))?;
    Ok(term)
}

/// Asks the other members, before this one takes part in anything, whether it was cut off while it was away.
///
/// # Errors
/// [`Error::Unusable`] when it was.
pub(crate) async fn ask_before_start(options: &Options, own: u64) -> Result<(), Error> {
    // Without a copy there is nothing of the past; one that cannot be read is complained about by who opens it.
    let Ok((_, term, group)) = look(&options.data_dir) else { return Ok(()) };
    let known = generation::Generation::load(&options.data_dir)?;
    let answers = ask(options, &group, own, START_LIMIT).await?;
    let newest = answers.iter().filter_map(|(_, answer)| Some(generation::of(answer.as_ref()?.term))).max().unwrap_or(0);
    if newest > known.own(term) {
        known.replaced(newest);
        return Err(known.end().await);
    }
    Ok(())
}
