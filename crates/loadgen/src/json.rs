//! Formats beacons as JSON. The fields are written one by one and without a serializer, which is fast enough for a
//! million beacons per second.

use crowdfold_model::{SumMetric, ValueMetric};

use crate::catalogue::error_code;
use crate::profile::Profile;
use crate::report::Activity;

/// Formats the activity of a session as a JSON beacon.
pub(crate) fn beacon(profile: &Profile, activity: &Activity) -> Vec<u8> {
    let mut text = Vec::with_capacity(profile.before_event.len() + profile.after_event.len() + 192);
    text.extend_from_slice(br#"{"ts":"#);
    push_number(&mut text, activity.ts);
    text.extend_from_slice(profile.before_event.as_bytes());
    text.extend_from_slice(activity.event.name().as_bytes());
    text.extend_from_slice(profile.after_event.as_bytes());
    push_word(&mut text, r#","cdn":""#, activity.cdn);
    if let Some(picture) = activity.picture {
        push_field(&mut text, "height", picture.height);
    }
    for metric in SumMetric::ALL {
        if metric.is_in_beacons()
            && (activity.sum(metric) > 0 || activity.picture.is_some() && is_always_reported(metric))
        {
            push_field(&mut text, metric.name(), activity.sum(metric));
        }
    }
    for metric in ValueMetric::ALL {
        if let Some(value) = activity.values[metric as usize] {
            push_field(&mut text, metric.name(), value);
        }
    }
    if let Some(error) = activity.error {
        push_word(&mut text, r#","error":""#, error);
        push_word(&mut text, r#","error_code":""#, error_code(error));
        text.extend_from_slice(if activity.fatal { br#","fatal":true"# } else { br#","fatal":false"# });
    }
    if profile.opt_out {
        text.extend_from_slice(br#","opt_out":true"#);
    }
    text.push(b'}');
    text
}

/// Returns true if playing sessions report the metric even when the amount is 0, as many players do.
const fn is_always_reported(metric: SumMetric) -> bool {
    matches!(metric, SumMetric::PlayingMs | SumMetric::StalledMs | SumMetric::Stalls)
}

fn push_word(text: &mut Vec<u8>, before: &str, word: &str) {
    text.extend_from_slice(before.as_bytes());
    text.extend_from_slice(word.as_bytes());
    text.push(b'"');
}

fn push_field(text: &mut Vec<u8>, name: &str, number: u32) {
    text.extend_from_slice(b",\"");
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"\":");
    push_number(text, number.into());
}

fn push_number(text: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}
