//! Whether a history is strictly serializable, and if not, why.
//!
//! Lists make that easy to tell: a list that was read says which appends came before, and in
//! which order. So the order of each document's versions is known, and with it who must come
//! before whom if the transactions ran one after the other:
//!
//! * *ww*: whose append follows whose;
//! * *wr*: who read whose append as the last;
//! * *rw*: who read the list before whose append;
//! * *real time*: who had ended before who began, unless aborted.
//!
//! There is such an order of all transactions just if these have no cycle. (Adya, "Weak
//! consistency", 1999; Kingsbury and Alvaro, "Elle", 2020.)

use std::collections::{HashMap, VecDeque};

use super::history::{History, Item, Key, Op, Outcome};

/// What is wrong with a history. Transactions are given by their places in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Anomaly {
    /// What a committed transaction appended is not there in the end.
    LostUpdate { by: usize, item: Item },
    /// A value is in a list twice.
    Twice { key: Key, item: Item },
    /// An aborted transaction's append was seen by another (`None`: is there in the end).
    AbortedRead { by: Option<usize>, of: usize },
    /// The list was seen as it was in the middle of a transaction.
    IntermediateRead { by: usize, of: usize },
    /// A transaction did not see what it had appended itself.
    OwnWriteUnseen { by: usize, key: Key },
    /// A list was seen that is no beginning of the one at the end.
    Diverged { by: usize, key: Key },
    /// G0: a cycle of ww.
    WriteCycle(Vec<usize>),
    /// G1c: a cycle of ww and wr.
    CircularFlow(Vec<usize>),
    /// G-single: a cycle with one rw.
    ReadSkew(Vec<usize>),
    /// G2: a cycle with several rw.
    WriteSkew(Vec<usize>),
    /// An order there is, but it puts one before another that had ended before it began.
    RealTime(Vec<usize>),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Edge {
    WriteWrite,
    WriteRead,
    ReadWrite,
    RealTime,
}

/// For each transaction, which ones must come after it, and why.
type Graph = Vec<Vec<(usize, Edge)>>;

/// All that is wrong with single reads and lists; if that is nothing, the first cycle, if
/// there is one.
pub(super) fn check(history: &History) -> Vec<Anomaly> {
    let writers = writers(history);
    let mut found = lists(history, &writers);
    found.extend(reads(history, &writers));
    if found.is_empty() {
        found.extend(cycle(&graph(history, &writers)));
    }
    found
}

/// Who appended what.
fn writers(history: &History) -> HashMap<Item, usize> {
    let mut writers = HashMap::new();
    for (by, transaction) in history.transactions.iter().enumerate() {
        for op in &transaction.ops {
            if let Op::Append(_, item) = op {
                assert_eq!(writers.insert(*item, by), None, "{item} is no item of its own");
            }
        }
    }
    writers
}

fn is_committed(history: &History, at: usize) -> bool {
    history.transactions[at].outcome == Outcome::Committed
}

/// What is wrong with the lists at the end.
fn lists(history: &History, writers: &HashMap<Item, usize>) -> Vec<Anomaly> {
    let mut found = Vec::new();
    let mut places = HashMap::new();
    for (key, list) in history.lists.iter().enumerate() {
        for &item in list {
            if places.insert(item, key).is_some() {
                found.push(Anomaly::Twice { key, item });
            }
            let of = writers[&item];
            if !is_committed(history, of) {
                found.push(Anomaly::AbortedRead { by: None, of });
            }
        }
    }
    for (by, transaction) in history.transactions.iter().enumerate() {
        for op in &transaction.ops {
            if let Op::Append(key, item) = op
                && is_committed(history, by)
                && places.get(item) != Some(key)
            {
                found.push(Anomaly::LostUpdate { by, item: *item });
            }
        }
    }
    found
}

/// What is wrong with single reads.
fn reads(history: &History, writers: &HashMap<Item, usize>) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (by, transaction) in history.transactions.iter().enumerate() {
        let mut own: HashMap<Key, Vec<Item>> = HashMap::new();
        for op in &transaction.ops {
            let (key, seen) = match op {
                Op::Append(key, item) => {
                    own.entry(*key).or_default().push(*item);
                    continue;
                }
                Op::Read(key, seen) => (*key, seen),
            };
            let own = own.get(&key).map_or(&[][..], |own| own);
            let Some(others) = seen.strip_suffix(own) else {
                found.push(Anomaly::OwnWriteUnseen { by, key });
                continue;
            };
            let aborted = others.iter().map(|item| writers[item]);
            let aborted = aborted.filter(|&of| of != by && !is_committed(history, of));
            found.extend(aborted.map(|of| Anomaly::AbortedRead { by: Some(by), of }));
            if !history.lists[key].starts_with(others) {
                found.push(Anomaly::Diverged { by, key });
            }
            if let Some(last) = others.last() {
                let of = writers[last];
                let is_last = |op: &&Op| matches!(op, Op::Append(to, _) if *to == key);
                let last_append = history.transactions[of].ops.iter().rev().find(is_last);
                if last_append != Some(&Op::Append(key, *last)) {
                    found.push(Anomaly::IntermediateRead { by, of });
                }
            }
        }
    }
    found
}

/// Who must come before whom. For a history in which lists and reads are right.
fn graph(history: &History, writers: &HashMap<Item, usize>) -> Graph {
    let mut graph: Graph = vec![Vec::new(); history.transactions.len()];
    let mut put = |before: usize, after: usize, edge: Edge| {
        if before != after && !graph[before].contains(&(after, edge)) {
            graph[before].push((after, edge));
        }
    };
    for list in &history.lists {
        for pair in list.windows(2) {
            put(writers[&pair[0]], writers[&pair[1]], Edge::WriteWrite);
        }
    }
    for (reader, transaction) in history.transactions.iter().enumerate() {
        for op in &transaction.ops {
            let Op::Read(key, seen) = op else { continue };
            let list = &history.lists[*key];
            // Its own appends come last, if there are any.
            let others = seen.iter().take_while(|item| writers[item] != reader).count();
            if let Some(last) = others.checked_sub(1) {
                put(writers[&list[last]], reader, Edge::WriteRead);
            }
            if let Some(next) = list.get(others) {
                put(reader, writers[next], Edge::ReadWrite);
            }
        }
    }
    for (before, one) in history.transactions.iter().enumerate() {
        for (after, other) in history.transactions.iter().enumerate() {
            if one.ended < other.begun && one.outcome != Outcome::Aborted {
                put(before, after, Edge::RealTime);
            }
        }
    }
    graph
}

/// The plainest anomaly among the cycles, with one cycle that shows it.
fn cycle(graph: &Graph) -> Option<Anomaly> {
    if is_acyclic(graph) {
        return None;
    }
    let upto = |most: Edge| shortest_cycle(graph, most);
    if let Some((cycle, _)) = upto(Edge::WriteWrite) {
        return Some(Anomaly::WriteCycle(cycle));
    }
    if let Some((cycle, _)) = upto(Edge::WriteRead) {
        return Some(Anomaly::CircularFlow(cycle));
    }
    if let Some((cycle, edges)) = upto(Edge::ReadWrite) {
        let skews = edges.iter().filter(|&&edge| edge == Edge::ReadWrite).count();
        let one = skews == 1;
        return Some(if one { Anomaly::ReadSkew(cycle) } else { Anomaly::WriteSkew(cycle) });
    }
    upto(Edge::RealTime).map(|(cycle, _)| Anomaly::RealTime(cycle))
}

/// Whether all can be taken out one after the other, each when nobody left comes before it.
fn is_acyclic(graph: &Graph) -> bool {
    let mut before = vec![0_usize; graph.len()];
    graph.iter().flatten().for_each(|&(after, _)| before[after] += 1);
    let mut free: Vec<usize> = (0..graph.len()).filter(|&at| before[at] == 0).collect();
    let mut taken = 0;
    while let Some(at) = free.pop() {
        taken += 1;
        for &(after, _) in &graph[at] {
            before[after] -= 1;
            if before[after] == 0 {
                free.push(after);
            }
        }
    }
    taken == graph.len()
}

/// A shortest cycle of edges up to `most`, and the edges.
fn shortest_cycle(graph: &Graph, most: Edge) -> Option<(Vec<usize>, Vec<Edge>)> {
    (0..graph.len()).filter_map(|start| cycle_through(graph, most, start)).min_by_key(|c| c.0.len())
}

/// A shortest one through `start`: breadth first, until it is met again.
fn cycle_through(graph: &Graph, most: Edge, start: usize) -> Option<(Vec<usize>, Vec<Edge>)> {
    let mut came_by: HashMap<usize, (usize, Edge)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for &(after, edge) in graph[at].iter().filter(|(_, edge)| *edge <= most) {
            if came_by.contains_key(&after) {
                continue;
            }
            came_by.insert(after, (at, edge));
            queue.push_back(after);
        }
        if came_by.contains_key(&start) {
            break;
        }
    }
    let (mut cycle, mut edges) = (Vec::new(), Vec::new());
    let mut at = start;
    loop {
        let &(before, edge) = came_by.get(&at)?;
        cycle.push(before);
        edges.push(edge);
        at = before;
        if at == start {
            break;
        }
    }
    cycle.reverse();
    edges.reverse();
    Some((cycle, edges))
}
