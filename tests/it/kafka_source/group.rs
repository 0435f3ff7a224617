//! Tests of the source as a member of a consumer group.

use super::*;

#[test]
fn assignment_contains_committed_offsets_and_start_offsets() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "committed", 3);
    let records: Vec<_> = (0..30).map(|i| Record::new(i % 3, "x")).collect();
    produce(kafka, &topic, &records);
    let member = source_settings(&topic);
    let mut sink = sink(kafka);
    let mut first = open(kafka, &member);
    let fresh = assigned(&mut first);
    assert_eq!(fresh.group, [None, None, None]);
    assert!(fresh.partitions.iter().all(|p| (p.start_offset, p.log_start, p.gap) == (0, 0, None)));
    let metadata = format!("1;{}", "x".repeat(180));
    commit(&mut sink, &first, &topic, &[(0, 4, &metadata), (2, 10, "")]);
    let committed = |offset, metadata: &str| Some(Committed { offset, metadata: metadata.into() });
    let group = vec![committed(4, &metadata), None, committed(10, "")];
    assert_eq!(first.committed().unwrap(), group);
    drop(first);

    let mut second = open(kafka, &member);
    let event = event(&mut second);
    let Event::Assigned(assigned_partitions) = event else { panic!("{event:?}") };
    assert_eq!(assigned_partitions.group, group);
    let starts: Vec<_> = assigned_partitions.partitions.iter().map(|p| p.start_offset).collect();
    assert_eq!(starts, [4, 0, 10]);
    assert!(second.start_at(1, 7));
    pass(second.poll(Duration::ZERO));
    assert!(!second.start_at(1, 8), "the partition is being read");
    let read: Vec<_> =
        (0..3).map(|p| read_to_end(&mut second, p).first().map(|(offset, _)| *offset)).collect();
    assert_eq!(read, [Some(4), Some(7), None]);
    assert_eq!((0..4).map(|p| second.position(p)).collect::<Vec<_>>(), [Some(10), Some(10), Some(10), None]);
}

/// Any client can commit offsets for the group, with metadata of any form.
#[test]
fn offset_metadata_that_another_client_committed_is_read_unchanged() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "foreign", 1);
    produce(kafka, &topic, &[Record::new(0, "x")]);
    let member = source_settings(&topic);
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka.bootstrap())
        .set("group.id", &member.group)
        .create()
        .unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, rdkafka::Offset::Offset(1)).unwrap();
    list.elements()[0].set_metadata("ünïcode");
    // The client may not know the coordinator yet, so the commit is repeated.
    eventually("the commit is accepted", || consumer.commit(&list, CommitMode::Sync).ok());
    drop(consumer);
    let mut source = open(kafka, &member);
    let assigned_partitions = assigned(&mut source);
    assert_eq!(assigned_partitions.group, [Some(Committed { offset: 1, metadata: "ünïcode".into() })]);
}

#[test]
fn second_member_receives_half_of_the_partitions_after_all_are_revoked_from_the_first() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "shared", 4);
    let one = source_settings(&topic);
    let two = SourceSettings { instance: unique("instance"), ..one.clone() };
    let mut sink = sink(kafka);
    let mut first = open(kafka, &one);
    assert_eq!(assigned(&mut first).partitions.len(), 4);
    let old_generation = std::sync::Arc::clone(first.group_metadata().unwrap());
    let mut second = open(kafka, &two);
    let revoked = eventually("a revocation", || {
        pass(second.poll(Duration::from_millis(20)));
        first.poll(Duration::from_millis(20)).unwrap()
    });
    assert_eq!(revoked, Event::Revoked(vec![0, 1, 2, 3]));
    // After the revocation, the member may still commit offsets until it polls again.
    commit(&mut sink, &first, &topic, &[(0, 0, "last words")]);
    let (mut a, mut b) = (None, None);
    eventually("two assignments", || {
        a = a.take().or(first.poll(Duration::from_millis(20)).unwrap());
        b = b.take().or(second.poll(Duration::from_millis(20)).unwrap());
        (a.is_some() && b.is_some()).then_some(())
    });
    let (Some(Event::Assigned(a)), Some(Event::Assigned(b))) = (a, b) else { panic!("not assigned") };
    let numbers = |of: &[AssignedPartition]| of.iter().map(|p| p.partition).collect::<Vec<_>>();
    let mut all = numbers(&a.partitions);
    all.extend(numbers(&b.partitions));
    all.sort_unstable();
    assert_eq!((a.partitions.len(), b.partitions.len(), all), (2, 2, vec![0, 1, 2, 3]));
    // Each member receives the committed offsets of all partitions.
    assert_eq!(a.group, b.group);
    assert_eq!(a.group[0].as_ref().map(|held| held.metadata.as_str()), Some("last words"));
    // A commit with the metadata of the old generation is fenced.
    let stale = [Offset { partition: 0, offset: 0, metadata: "zombie".into() }];
    let refused = sink.transact(&[], &stale, &topic, &old_generation).unwrap_err();
    assert!(matches!(refused, crowdfold_kafka::TransactError::Fenced(_)), "{refused:?}");
    assert_eq!(first.committed().unwrap(), a.group);
}

#[test]
fn second_member_with_the_same_instance_id_fences_the_first() {
    let kafka = Kafka::shared();
    let topic = topic(kafka, "twins", 1);
    let member = source_settings(&topic);
    let mut first = open(kafka, &member);
    assigned(&mut first);
    let mut second = open(kafka, &member);
    assigned(&mut second);
    let error =
        eventually("the first is fenced", || first.poll(SOON).err().filter(|error| !error.is_transient()));
    assert_eq!(error, SourceError::Fenced);
}
