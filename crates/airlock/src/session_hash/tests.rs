use super::*;

#[test]
fn hash_depends_on_the_key_the_tenant_and_the_session() {
    let hasher = SessionHasher::fixed(1);
    let hash = |tenant, session| hasher.hash(Tenant(tenant), session).get();
    assert_eq!(hash(0, "s"), SessionHasher::fixed(1).hash(Tenant(0), "s").get());
    assert_ne!(hash(0, "s"), hash(1, "s"));
    assert_ne!(hash(0, "s"), hash(0, "t"));
    assert_ne!(hash(0, "s"), SessionHasher::fixed(2).hash(Tenant(0), "s").get());
    assert_ne!(
        SessionHasher::random().hash(Tenant(0), "s").get(),
        SessionHasher::random().hash(Tenant(0), "s").get()
    );
}
