use super::*;

#[track_caller]
fn check(user_agent: &str, expect: &str) {
    assert_eq!(firmware(user_agent).unwrap_or("-"), expect, "{user_agent}");
}

#[test]
fn firmware_is_read_from_its_known_position() {
    check("HbbTV/1.5.1 (+DRM;Samsung;SmartTV2021:UAU9000;T-KSU2EUABC-2501.5;0;)", "T-KSU2EUABC-2501.5");
    check("HbbTV/1.2.1 (; LGE; WEBOS1; 03.23.31; 1H13;)", "03.23.31");
    check("Roku/DVP-12.5 (12.5.5.4405-46)", "12.5.5.4405-46");
    check("x VIDAA/4.0(Hisense;SmartTV;50A7GQ;MTK9602/V0000.01.00I.L1204;UHD;)", "V0000.01.00I.L1204");
    check("x Sky_STB_ST412_2018/1.0.0 (Sky, EM150UK, )", "1.0.0");
    check("x SmartCast(Conjure/MTKF-5.1.516.1 FW/1.520.2 Model/V505-G9)", "1.520.2");
    check("x LG Browser/8.00.00(LGE; 43UH6030-UD; 04.30.40; 1; DTV_W16R)", "04.30.40");
}

#[test]
fn firmware_is_absent_without_a_known_position() {
    check("HbbTV/1.1.1 (;;;;;) Maple_2011", "-");
    check("HbbTV/1.1.1 (;Samsung;SmartTV2012;;;) WebKit", "-");
    check("HbbTV/1.2.1", "-");
    check("HbbTV/1.2.1 (", "-");
    check("Roku/DVP-12.5", "-");
    // The brackets belong to the product Mozilla.
    check("Roku/DVP-12.5 Mozilla/5.0 (12.5)", "-");
    check("VIDAA/4.0(Hisense;SmartTV;50A7GQ;MTK9602;UHD;)", "-");
    check("Mozilla/5.0 (Linux; Android 12; AFTKM Build/PS7646.4040N; wv)", "-");
    check("Some_STB/1.2.3", "-");
}

#[test]
fn text_that_is_not_a_version_is_not_firmware() {
    check("HbbTV/1.2.1 (;a;b;who@example.com;;)", "-");
    check("HbbTV/1.2.1 (;a;b;my living room 2;;)", "-");
    check("HbbTV/1.2.1 (;a;b;nodigits;;)", "-");
    check(&format!("HbbTV/1.2.1 (;a;b;{};;)", "1".repeat(33)), "-");
}
