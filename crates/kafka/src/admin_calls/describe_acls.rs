//! Requests for ACLs, and for the operations for which our principal is authorized. The parent module lists the facts
//! on which the unsafe code relies. This module relies on two more:
//! - The functions that send a request copy its filter and its names before they return.
//! - librdkafka clamps the enumerations of a response to known values (`rd_kafka_DescribeAclsResponse_parse`,
//!   `rd_kafka_AuthorizedOperations_parse`), so every value has a Rust equivalent.
//!
//! librdkafka reads the error code of a DescribeAcls response but drops it. Therefore the list is empty in three
//! cases: there are no ACLs, the cluster has no authorizer, or the principal lacks the permission to list ACLs.
//! [`may_describe`] checks the permission first, and the brokers' settings show whether there is an authorizer.

use std::ffi::CString;
use std::os::raw::c_char;
use std::ptr::{self, NonNull};
use std::slice;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::{Owned, Request, ask, text};

/// An ACL on a topic or on the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Acl {
    /// The principal to which the ACL applies, such as `User:jane` or `User:*`.
    pub(crate) principal: String,
    /// The address of the client to which the ACL applies, or `*` for every client.
    pub(crate) host: String,
    /// The operation that the ACL allows or denies.
    pub(crate) operation: Operation,
    /// True if the ACL allows the operation, false if it denies the operation.
    pub(crate) allows: bool,
    /// The form in which the ACL names the topic.
    pub(crate) pattern: Pattern,
}

/// An operation of an ACL. Operations that neither read nor change data are [`Operation::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    All,
    Read,
    Write,
    Alter,
    AlterConfigs,
    ClusterAction,
    Other,
}

/// The resource whose ACLs are requested.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    /// The topic with this name. The result includes ACLs on a prefix of the name and ACLs on all topics.
    Topic(&'a str),
    Cluster,
}

/// The form in which an ACL names topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pattern {
    /// The whole name of one topic.
    Literal,
    /// A prefix of the names of several topics.
    Prefixed,
    /// `*`, which means all topics.
    Any,
}

/// Returns true if this principal may list ACLs.
///
/// # Errors
/// Returns an error code if no broker responds within ten seconds, or if the broker refuses the request.
pub(crate) fn may_describe<C: ClientContext>(client: &Client<C>) -> Result<bool, RDKafkaErrorCode> {
    use sys::rd_kafka_AclOperation_t as O;
    let send = |request: &Request| {
        request.include_authorized();
        // SAFETY: live client, options and queue.
        unsafe {
            sys::rd_kafka_DescribeCluster(request.client, request.options.as_ptr(), request.queue.as_ptr())
        };
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, send)?;
    // SAFETY: a live event; the result is null if the event is of another kind, otherwise the result lives as long as
    // the event.
    let result = unsafe { sys::rd_kafka_event_DescribeCluster_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::Fail);
    }
    let mut count = 0;
    // SAFETY: a live result and a valid pointer to the count; the return value is null, or `count` values that live
    // as long as the result.
    let operations = unsafe {
        let first = sys::rd_kafka_DescribeCluster_result_authorized_operations(result, &mut count);
        if first.is_null() || count == 0 { &[] } else { slice::from_raw_parts(first, count) }
    };
    let describes = |operation: &O| {
        matches!(operation, O::RD_KAFKA_ACL_OPERATION_DESCRIBE | O::RD_KAFKA_ACL_OPERATION_ALTER)
    };
    Ok(operations.iter().any(describes))
}

/// Returns the topics that this principal may describe but not write. The result omits topics that the principal may
/// not even describe. The result is empty if the brokers do not report authorized operations (Kafka before 2.3).
///
/// # Errors
/// Returns the error code if no broker responds within ten seconds, or if a name contains a zero byte.
pub(crate) fn not_writable<C: ClientContext>(
    client: &Client<C>,
    topics: &[String],
) -> Result<Vec<String>, RDKafkaErrorCode> {
    use sys::rd_kafka_AclOperation_t as O;
    let named: Result<Vec<_>, _> = topics.iter().map(|topic| CString::new(topic.as_str())).collect();
    let named = named.map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
    let mut names: Vec<_> = named.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: the count equals the number of C strings. The result is null or owned by this function.
    let collection = unsafe { sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()) };
    let collection = Owned::new(collection, sys::rd_kafka_TopicCollection_destroy)?;
    let send = |request: &Request| {
        request.include_authorized();
        let (options, queue) = (request.options.as_ptr(), request.queue.as_ptr());
        // SAFETY: live client, names, options and queue.
        unsafe { sys::rd_kafka_DescribeTopics(request.client, collection.as_ptr(), options, queue) };
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, send)?;
    // SAFETY: a live event; the result is null if the event is of another kind, otherwise the result lives as long as
    // the event.
    let result = unsafe { sys::rd_kafka_event_DescribeTopics_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::Fail);
    }
    let mut count = 0;
    // SAFETY: a live result and a valid pointer to the count; the return value is null, or `count` pointers that live
    // as long as the result.
    let described = unsafe {
        let first = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if first.is_null() || count == 0 { &[] } else { slice::from_raw_parts(first, count) }
    };
    let lacks = |topic: &&*const sys::rd_kafka_TopicDescription_t| {
        let mut count = 0;
        // SAFETY: a live description and a valid pointer to the count; the return value is null if the response
        // contains no operations, otherwise `count` values that live as long as the description.
        let operations = unsafe {
            let first = sys::rd_kafka_TopicDescription_authorized_operations(**topic, &mut count);
            if first.is_null() || count == 0 { &[] } else { slice::from_raw_parts(first, count) }
        };
        !operations.is_empty() && !operations.contains(&O::RD_KAFKA_ACL_OPERATION_WRITE)
    };
    // SAFETY: each pointer is to a description that lives as long as the result.
    let name = |topic: &*const _| unsafe { text(sys::rd_kafka_TopicDescription_name(*topic)) };
    Ok(described.iter().filter(lacks).map(name).collect())
}

/// Returns the ACLs on a resource. The list is also empty if this principal may not list ACLs, so call
/// [`may_describe`] first.
///
/// # Errors
/// Returns the error code if no broker responds within ten seconds, or if a name contains a zero byte.
pub(crate) fn rules<C: ClientContext>(
    client: &Client<C>,
    about: About<'_>,
) -> Result<Vec<Acl>, RDKafkaErrorCode> {
    use sys::rd_kafka_ResourceType_t as R;
    // librdkafka calls the cluster resource by its former name, broker
    let (kind, name) = match about {
        About::Topic(topic) => (R::RD_KAFKA_RESOURCE_TOPIC, topic),
        About::Cluster => (R::RD_KAFKA_RESOURCE_BROKER, "kafka-cluster"),
    };
    let name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
    let mut reason = [0 as c_char; 128];
    // SAFETY: a C string, null pointers for "any", and a buffer for an error text. The result is null or owned by
    // this function.
    let filter = NonNull::new(unsafe {
        sys::rd_kafka_AclBindingFilter_new(
            kind,
            name.as_ptr(),
            sys::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_MATCH,
            ptr::null(),
            ptr::null(),
            sys::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ANY,
            sys::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
            reason.as_mut_ptr(),
            reason.len(),
        )
    });
    let filter = filter.ok_or(RDKafkaErrorCode::InvalidArgument)?;
    let filter = Owned { object: filter, destroy: sys::rd_kafka_AclBinding_destroy };
    let send = |request: &Request| {
        let (options, queue) = (request.options.as_ptr(), request.queue.as_ptr());
        // SAFETY: live client, filter, options and queue.
        unsafe { sys::rd_kafka_DescribeAcls(request.client, filter.as_ptr(), options, queue) };
    };
    let event = ask(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBEACLS, send)?;
    // SAFETY: a live event; the result is null if the event is of another kind, otherwise the result lives as long as
    // the event.
    let result = unsafe { sys::rd_kafka_event_DescribeAcls_result(event.as_ptr()) };
    if result.is_null() {
        return Err(RDKafkaErrorCode::Fail);
    }
    let mut count = 0;
    // SAFETY: a live result and a valid pointer to the count; the return value is null, or `count` pointers that live
    // as long as the result.
    let bindings = unsafe {
        let first = sys::rd_kafka_DescribeAcls_result_acls(result, &mut count);
        if first.is_null() || count == 0 { &[] } else { slice::from_raw_parts(first, count) }
    };
    // SAFETY: each pointer is to a binding that lives as long as the result.
    Ok(bindings.iter().filter_map(|binding| unsafe { acl(*binding) }).collect())
}

/// Converts an ACL binding of librdkafka. Returns `None` if its pattern type is unknown.
///
/// # Safety
/// `binding` is null or points to a live binding.
unsafe fn acl(binding: *const sys::rd_kafka_AclBinding_t) -> Option<Acl> {
    use sys::rd_kafka_AclOperation_t as O;
    use sys::rd_kafka_AclPermissionType_t as P;
    use sys::rd_kafka_ResourcePatternType_t as R;
    if binding.is_null() {
        return None;
    }
    // SAFETY: a live binding, as the caller guarantees; its strings live as long as the binding, and are copied.
    unsafe {
        let operation = match sys::rd_kafka_AclBinding_operation(binding) {
            O::RD_KAFKA_ACL_OPERATION_ALL => Operation::All,
            O::RD_KAFKA_ACL_OPERATION_READ => Operation::Read,
            O::RD_KAFKA_ACL_OPERATION_WRITE => Operation::Write,
            O::RD_KAFKA_ACL_OPERATION_ALTER => Operation::Alter,
            O::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS => Operation::AlterConfigs,
            O::RD_KAFKA_ACL_OPERATION_CLUSTER_ACTION => Operation::ClusterAction,
            _ => Operation::Other,
        };
        let name = text(sys::rd_kafka_AclBinding_name(binding));
        let pattern = match sys::rd_kafka_AclBinding_resource_pattern_type(binding) {
            R::RD_KAFKA_RESOURCE_PATTERN_LITERAL if name == "*" => Pattern::Any,
            R::RD_KAFKA_RESOURCE_PATTERN_LITERAL => Pattern::Literal,
            R::RD_KAFKA_RESOURCE_PATTERN_PREFIXED => Pattern::Prefixed,
            _ => return None,
        };
        Some(Acl {
            operation,
            principal: text(sys::rd_kafka_AclBinding_principal(binding)),
            host: text(sys::rd_kafka_AclBinding_host(binding)),
            allows: sys::rd_kafka_AclBinding_permission_type(binding)
                == P::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            pattern,
        })
    }
}
