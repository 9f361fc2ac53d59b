//! Whose turn it is to hold the database's write lock. SQLite lets waiters try again now and then, and a
//! writer under load comes back before they do: without turns the log would never be emptied.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The writer comes and goes; whoever empties the log is let in as soon as it has left once.
#[derive(Default)]
pub(super) struct Turns {
    door: Mutex<()>,
    room: Mutex<()>,
}

impl Turns {
    /// For one transaction.
    pub(super) fn take(&self) -> MutexGuard<'_, ()> {
        drop(lock(&self.door));
        lock(&self.room)
    }

    /// For the next turn, whoever comes meanwhile.
    pub(super) fn take_next(&self) -> (MutexGuard<'_, ()>, MutexGuard<'_, ()>) {
        let door = lock(&self.door);
        (lock(&self.room), door)
    }
}

fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_the_next_turn_gets_it_before_the_writer_comes_back() {
        for _ in 0..1_000 {
            let (turns, order) = (Turns::default(), Mutex::new(Vec::new()));
            std::thread::scope(|scope| {
                let writers = turns.take();
                scope.spawn(|| {
                    let _turn = turns.take_next();
                    order.lock().unwrap().push("emptied");
                });
                while turns.door.try_lock().is_ok() {
                    std::thread::yield_now();
                }
                drop(writers);
                let _turn = turns.take();
                order.lock().unwrap().push("written");
            });
            assert_eq!(*order.lock().unwrap(), ["emptied", "written"]);
        }
    }
}
