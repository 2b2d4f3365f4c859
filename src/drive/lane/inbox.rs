//! How other threads reach one that serves connections.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mio::Waker;

use super::front::Front;
use super::limits::Admitted;
use super::waiting::Letter;

/// What is left for a thread.
#[derive(Debug)]
pub struct Inbox {
    waker: Waker,
    clients: Mutex<VecDeque<Admitted>>,
    letters: Mutex<VecDeque<Letter>>,
    /// `None`: the thread has ended.
    orders: Mutex<Option<VecDeque<Order>>>,
    /// A backend is one that clients leave from now on.
    leaving: AtomicBool,
    stopping: AtomicBool,
}

/// What the thread is to do that accepts.
#[derive(Debug)]
pub enum Order {
    /// It accepts the clients of this, whose socket it watches already.
    Accept(Box<Front>),
    /// It accepts no more; then it says so.
    Leave(Sender<()>),
}

impl Inbox {
    /// Of the thread that `waker` wakes.
    pub fn new(waker: Waker) -> Self {
        Self {
            waker,
            clients: Mutex::default(),
            letters: Mutex::default(),
            orders: Mutex::new(Some(VecDeque::new())),
            leaving: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// Gives the thread a client to serve.
    pub fn give(&self, client: Admitted) {
        lock(&self.clients).push_back(client);
        self.wake();
    }

    /// Leaves a letter for one of its connections.
    pub fn post(&self, letter: Letter) {
        let mut letters = lock(&self.letters);
        let is_first = letters.is_empty();
        letters.push_back(letter);
        drop(letters);
        if is_first {
            self.wake();
        }
    }

    /// Leaves an order, which is dropped if the thread ends before it comes to it.
    pub fn order(&self, order: Order) {
        if let Some(orders) = lock(&self.orders).as_mut() {
            orders.push_back(order);
        }
        self.wake();
    }

    /// The thread ends.
    pub fn end(&self) {
        // Dropped behind the lock.
        let _orders = lock(&self.orders).take();
    }

    /// The clients that it was given.
    pub fn take(&self) -> VecDeque<Admitted> {
        std::mem::take(&mut lock(&self.clients))
    }

    /// The letters for its connections.
    pub fn take_letters(&self) -> VecDeque<Letter> {
        std::mem::take(&mut lock(&self.letters))
    }

    /// The orders.
    pub fn take_orders(&self) -> VecDeque<Order> {
        lock(&self.orders).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Has each connection look whether it is to leave its backend.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether they are to look, now.
    pub fn take_leave(&self) -> bool {
        self.leaving.swap(false, Ordering::Acquire)
    }

    /// Asks the thread to end: it takes no more clients, and sends those away that are at rest, as soon as they are.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether it was asked to.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn wake(&self) {
        if let Err(e) = self.waker.wake() {
            log::error!("a thread cannot be woken: {e}");
        }
    }
}

/// Leaf locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
