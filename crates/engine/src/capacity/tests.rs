use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::*;
use crate::Pool;
use crate::{Address, Link};

#[derive(Debug)]
struct Quiet;

impl Link for Quiet {
    fn is_quiet(&self) -> bool {
        true
    }

    fn addresses(&self) -> (Address, Address) {
        Default::default()
    }
}

struct World {
    capacity: Arc<Capacity>,
    pool: Arc<Mutex<Pool>>,
}

impl World {
    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap()
    }

    /// Somebody who waits for a place.
    fn stand_for_place(&self, ndx: usize) -> (Ticket, Receiver<usize>) {
        let (notify, told) = told();
        (Ticket::for_place(&self.capacity, &self.pool, ndx, notify), told)
    }

    /// Somebody who waits for an idle connection.
    fn stand_for_idle(&self, backends: &[usize]) -> (Ticket, Receiver<usize>) {
        let (notify, told) = told();
        let fits = Box::new(|_: &Server| true);
        (Ticket::for_idle(&self.capacity, &self.pool, backends, fits, notify), told)
    }
}

fn world(limit: usize) -> World {
    let capacity = Arc::<Capacity>::default();
    capacity.set_common_limit(limit);
    let pool = Pool::new(Arc::default(), Arc::clone(&capacity));
    World { capacity, pool: Arc::new(Mutex::new(pool)) }
}

/// An idle connection that takes a place.
fn server(world: &World, ndx: usize) -> Server {
    let mut server = Server::new(Box::new(Quiet), ndx, Instant::now());
    server.authenticated = true;
    server.place = world.capacity.enter(ndx);
    assert!(server.place.is_some(), "there is room");
    server
}

fn park(world: &World, server: Server) {
    world.pool().of(server.backend).park(server, Instant::now());
}

/// Somebody who notes what it is told.
fn told() -> (Notify, Receiver<usize>) {
    let (tell, told) = channel();
    (Box::new(move |ndx| tell.send(ndx).expect("the test listens")), told)
}

#[test]
fn a_backend_has_so_many_connections_and_no_more() {
    let world = world(2);
    let (first, _second) = (world.capacity.enter(0), world.capacity.enter(0).unwrap());
    assert!(world.capacity.enter(0).is_none());
    assert!(world.capacity.enter(1).is_some(), "another backend");
    drop(first);
    assert_eq!(world.capacity.open(0), 1);
    world.capacity.set_limit(0, 1);
    assert!(world.capacity.enter(0).is_none());
    world.capacity.set_limit(0, 0);
    assert!(world.capacity.enter(0).is_some());
}

#[test]
fn a_place_goes_to_who_came_first() {
    let world = world(1);
    let present = world.capacity.enter(0);
    let (first, first_told) = world.stand_for_place(0);
    let (second, second_told) = world.stand_for_place(0);
    drop(present);
    assert_eq!((first_told.try_recv(), second_told.try_recv().is_err()), (Ok(0), true));
    assert!(second.take_place().is_none() && world.capacity.enter(0).is_none());
    // The first one does not need it any more.
    drop(first);
    assert_eq!(second_told.try_recv(), Ok(0));
    let place = second.take_place();
    drop(second);
    assert_eq!((world.capacity.open(0), world.capacity.waiting()), (1, 0));
    drop(place);
    assert_eq!(world.capacity.open(0), 0);
}

#[test]
fn a_higher_limit_lets_in_who_waits() {
    let world = world(1);
    let _present = world.capacity.enter(0);
    let (ticket, told) = world.stand_for_place(0);
    world.capacity.set_limit(0, 2);
    assert_eq!(told.try_recv(), Ok(0));
    assert!(ticket.take_place().is_some());
}

#[test]
fn an_idle_connection_is_kept_for_who_waits_for_it() {
    let world = world(0);
    let (first, first_told) = world.stand_for_idle(&[1, 0]);
    let (second, second_told) = world.stand_for_idle(&[0]);
    park(&world, server(&world, 0));
    assert_eq!((first_told.try_recv(), second_told.try_recv().is_err()), (Ok(0), true));
    let mut pool = world.pool();
    assert_eq!(pool.of(0).idle_count(None, Instant::now()), 0, "it is kept");
    assert!(pool.of(0).take_kept(second.number()).is_none());
    drop(pool);
    drop(first);
    assert_eq!(second_told.try_recv(), Ok(0));
    assert!(world.pool().of(0).take_kept(second.number()).is_some());
}

#[test]
fn a_connection_that_becomes_idle_takes_no_lock_while_nobody_waits() {
    let world = world(0);
    let idle = server(&world, 0);
    let locked = world.capacity.lock();
    assert_eq!(world.capacity.next_for(&idle), Next::Nobody);
    drop(locked);
    let (ticket, _told) = world.stand_for_idle(&[0]);
    assert_eq!(world.capacity.waiting(), 1);
    assert_eq!(world.capacity.next_for(&idle), Next::Ticket(ticket.number()));
    assert_eq!(world.capacity.waiting(), 0);
}

#[test]
fn who_finds_an_idle_connection_does_not_wait() {
    let world = world(0);
    park(&world, server(&world, 1));
    let (ticket, told) = world.stand_for_idle(&[0, 1]);
    assert_eq!(told.try_recv(), Ok(1));
    drop(ticket);
    assert_eq!(world.pool().of(1).idle_count(None, Instant::now()), 1, "it was not taken");
}

#[test]
fn who_needs_a_new_connection_gets_the_place_of_an_idle_one() {
    let world = world(1);
    let busy = server(&world, 0);
    let (ticket, told) = world.stand_for_place(0);
    let (_later, later_told) = world.stand_for_idle(&[0]);
    park(&world, busy);
    assert_eq!((told.try_recv(), later_told.try_recv().is_err()), (Ok(0), true));
    assert!(ticket.take_place().is_some());
}
