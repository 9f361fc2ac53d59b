//! Long work for the writer, in steps: between two batches of sales it does as many as fit into a chunk.
//! Must never hold up a commit for longer than one chunk.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use lead::LeadId;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::apply;
use super::checkpoint::Order;
use super::fault::Fault;
use super::writer::{Writer, now};
use crate::Refused;
use crate::digest::Keys;

/// How long a chunk may take before it is committed, and how many steps it may have.
const CHUNK: Duration = Duration::from_millis(2);
pub(super) const CHUNK_STEPS: usize = 256;

/// Something long. Steps are safe to repeat: after a failed chunk the whole work may be asked for again.
pub(super) trait Work: Send {
    /// Does a little, within a transaction; says whether more is left.
    fn step(&mut self, db: &Connection, keys: &Keys) -> Result<bool, Fault>;

    /// Its last step is on stable storage, or it is refused.
    fn end(self: Box<Self>, result: Result<(), Refused>, orders: &Sender<Order>);
}

pub(super) type BulkJob = Box<dyn Work>;

impl Writer {
    /// One chunk of the work under way and of what waits.
    pub(super) fn chunk(&mut self, bulk: &Receiver<BulkJob>) {
        if let Some(trouble) = self.health.trouble() {
            for work in self.work.take().into_iter().chain(bulk.try_iter()) {
                work.end(Err(Refused::Unavailable(trouble.clone())), &self.orders);
            }
            return;
        }
        if self.work.is_none() && bulk.is_empty() {
            return;
        }
        let mut ended = Vec::new();
        match self.try_chunk(bulk, &mut ended) {
            Ok(()) => {
                for (work, result) in ended {
                    work.end(result, &self.orders);
                }
                self.order_checkpoint();
            }
            Err(error) => {
                let trouble = self.fail(&error);
                let ended = ended.into_iter().map(|(work, _)| work);
                for work in ended.chain(self.work.take()) {
                    work.end(Err(Refused::Unavailable(trouble.clone())), &self.orders);
                }
            }
        }
    }

    fn try_chunk(
        &mut self,
        bulk: &Receiver<BulkJob>,
        ended: &mut Vec<(BulkJob, Result<(), Refused>)>,
    ) -> rusqlite::Result<()> {
        let turns = Arc::clone(&self.turns);
        let _turn = turns.take();
        let started = now();
        let tx = Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?;
        for _ in 0..CHUNK_STEPS {
            let Some(mut work) = self.work.take().or_else(|| bulk.try_recv().ok()) else { break };
            match work.step(&tx, &self.keys) {
                Ok(true) => self.work = Some(work),
                Ok(false) => ended.push((work, Ok(()))),
                Err(Fault::Refused(refused)) => ended.push((work, Err(refused))),
                Err(Fault::Store(error)) => {
                    self.work = Some(work);
                    return Err(error);
                }
            }
            if started.elapsed() >= CHUNK {
                break;
            }
        }
        tx.commit()
    }
}

/// Destroys the keys of some leads: first sees that all are known, so that a refusal has changed nothing.
pub(super) struct Erasure {
    leads: Vec<LeadId>,
    seen: usize,
    erased: usize,
    reply: oneshot::Sender<Result<(), Refused>>,
}

impl Erasure {
    pub(super) fn new(leads: Vec<LeadId>, reply: oneshot::Sender<Result<(), Refused>>) -> Self {
        Self { leads, seen: 0, erased: 0, reply }
    }
}

impl Work for Erasure {
    fn step(&mut self, db: &Connection, keys: &Keys) -> Result<bool, Fault> {
        if let Some(lead) = self.leads.get(self.seen) {
            apply::known(db, keys, *lead)?;
            self.seen += 1;
        } else if let Some(lead) = self.leads.get(self.erased) {
            apply::erase(db, keys, *lead)?;
            self.erased += 1;
        }
        Ok(self.erased < self.leads.len())
    }

    /// They are told once the log holds none of the keys either.
    fn end(self: Box<Self>, result: Result<(), Refused>, orders: &Sender<Order>) {
        when_durable(result, self.reply, orders);
    }
}

/// Tells whoever asked, who may have left, once the log is empty: everything is in the database then.
pub(super) fn when_durable(
    result: Result<(), Refused>,
    reply: oneshot::Sender<Result<(), Refused>>,
    orders: &Sender<Order>,
) {
    if result.is_err() {
        return drop(reply.send(result));
    }
    if let Err(order) = orders.try_send(Order::Empty(reply))
        && let Order::Empty(reply) = order.into_inner()
    {
        drop(reply.send(Err(Refused::Full)));
    }
}
