use super::{Names, list_of_names};

#[test]
fn error_for_an_unknown_name_lists_the_known_names() {
    let names = Names::new(["arm"]);
    assert!(names.check("os").is_ok() && names.check("arm").is_ok());
    let error = names.check("plan").unwrap_err().to_string();
    assert!(error.starts_with("\"plan\" is not a dimension; the dimensions are country, "), "{error}");
    assert!(error.ends_with(", arm"), "{error}");
    let names = names.with_attributes(["plan", "industry"]);
    assert!(names.check("plan").is_ok());
    let error = names.check("a\nb").unwrap_err().to_string();
    assert!(
        error.starts_with("\"a\\nb\" is neither a dimension nor an attribute; the dimensions are "),
        "{error}"
    );
    assert!(error.ends_with(", arm; the attributes of tenants are plan, industry"), "{error}");
}

#[test]
fn list_with_a_repeated_or_empty_name_is_refused() {
    assert_eq!(list_of_names("by", "os, browser.cdn").unwrap(), ["os", "browser", "cdn"]);
    for list in ["os,os", "os,,cdn", "", "os.os"] {
        let error = list_of_names("by", list).unwrap_err().to_string();
        assert!(error.contains("contains a dimension twice or an empty one"), "{error}");
    }
}
