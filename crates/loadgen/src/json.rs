//! Beacons as JSON text, written field by field for speed (a million per second).

use crate::profile::Profile;
use crate::report::Deed;

/// Formats the JSON beacon of a deed.
pub(crate) fn beacon(profile: &Profile, deed: &Deed) -> Vec<u8> {
    let mut text = Vec::with_capacity(profile.before_event.len() + profile.after_event.len() + 192);
    text.extend_from_slice(br#"{"ts":"#);
    push_number(&mut text, deed.ts);
    text.extend_from_slice(profile.before_event.as_bytes());
    text.extend_from_slice(deed.event.name().as_bytes());
    text.extend_from_slice(profile.after_event.as_bytes());
    push_word(&mut text, r#","cdn":""#, deed.cdn);
    if let Some(picture) = deed.picture {
        push_field(&mut text, r#","bandwidth_kbps":"#, picture.bandwidth_kbps);
        push_field(&mut text, r#","bitrate_kbps":"#, picture.bitrate_kbps);
        push_field(&mut text, r#","height":"#, picture.height);
        push_field(&mut text, r#","playing_ms":"#, deed.playing_ms);
        push_field(&mut text, r#","stalled_ms":"#, deed.stalled_ms);
        push_field(&mut text, r#","stalls":"#, deed.stalls);
    }
    if let Some(startup_ms) = deed.startup_ms {
        push_field(&mut text, r#","startup_ms":"#, startup_ms);
    }
    if deed.dropped_frames > 0 {
        push_field(&mut text, r#","dropped_frames":"#, deed.dropped_frames);
    }
    if deed.switches > 0 {
        push_field(&mut text, r#","switches":"#, deed.switches);
    }
    if let Some(error) = deed.error {
        push_word(&mut text, r#","error":""#, error);
        text.extend_from_slice(if deed.fatal { br#","fatal":true"# } else { br#","fatal":false"# });
    }
    if profile.opt_out {
        text.extend_from_slice(br#","opt_out":true"#);
    }
    text.push(b'}');
    text
}

fn push_word(text: &mut Vec<u8>, before: &str, word: &str) {
    text.extend_from_slice(before.as_bytes());
    text.extend_from_slice(word.as_bytes());
    text.push(b'"');
}

fn push_field(text: &mut Vec<u8>, before: &str, number: u32) {
    text.extend_from_slice(before.as_bytes());
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
