//! Tests of devices that are recognised by the model in their user agent.

use super::*;

#[test]
fn headset_models_are_classified_as_device_other() {
    for model in [
        "SM-I610 Build/UP1A.231005.007",
        "Quest 3S",
        "Quest Pro Build/SQ3A.220605.009.A1",
        "PICO 4 Ultra",
        "Pico Neo 3",
        "A8110",
        "A9210 Build/UKQ1",
        "VIVE Focus 3",
        "Vive Focus Vision",
        "Lenovo VRX",
        "Lenovo VR-1541F",
        "Magic Leap 2",
        "Lynx-R1",
    ] {
        check(&view(model), ["WebView", "119", "Android", "11", "other"]);
    }
    for model in ["SM-S911B", "SM-A8110", "Pixel 8", "A8 2018", "V2318", "Vivo 1904"] {
        check(&view(model), ["WebView", "119", "Android", "11", "phone"]);
    }
}

#[test]
fn boxes_of_operators_are_recognised_by_their_models() {
    for model in [
        "Bouygtel4K",
        "BouygtelTV Build/PTT1.190515.001",
        "BouygtelATV",
        "HMB2213PW22TS",
        "Bbox Miami",
        "AI PONT",
        "B860H",
        "B860AV2.1-T",
        "B863AV3.2-M Build/PI",
        "B866V2F01",
        "ZTE B866V2",
        "ZXV10 B866V2FA",
        "SKYWORTH HP40A2",
        "HP40A Build/PTF1",
        "Amlogic p212",
        "p281",
        "u211",
        "ARRIS VIP5202W",
        "VIP7802",
        "DCX960",
        "UIW4020PLDG",
        "UZW4020BYT",
        "DIW3930",
        "DTIW384",
        "DCIW387UHDCAN",
        "Technicolor UIW4054",
        "Sagemcom DIW585",
    ] {
        check(&view(model), ["WebView", "119", "Android", "11", "stb"]);
    }
    // `Lenovo B8000-F` is a tablet, although its user agent contains `Mobile`.
    for model in ["B2017G", "Lenovo B8000-F", "BV8800", "DIW", "P20 Lite", "hp 10"] {
        check(&view(model), ["WebView", "119", "Android", "11", "phone"]);
    }
}
