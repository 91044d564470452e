use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Returns the time that a backend asks to be left alone for: `Retry-After`, in seconds or as a date.
///
/// A date is by the backend's clock, so it counts from the `Date` of the same answer: the two clocks
/// need not agree. One that is over is no time.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than fits is longer than anybody waits.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = text(headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    Some(until.duration_since(now.unwrap_or_else(our_time)).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn our_time() -> SystemTime {
    let millis = u64::try_from(livestore::now().as_millis()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn wait(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        super::retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_are_read_and_nothing_like_them() {
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 0 ", None), Some(0));
        assert_eq!(wait("99999999999999999999999", None), Some(u64::MAX));
        for other in ["", "-1", "+1", "1.5", "1e3", "soon", "120, 60", "1 2"] {
            assert_eq!(wait(other, Some(NOW)), None, "{other}");
        }
    }

    #[test]
    fn a_date_counts_from_the_backends_own() {
        for two_minutes_later in [
            "Sun, 06 Nov 1994 08:51:37 GMT",
            "Sunday, 06-Nov-94 08:51:37 GMT",
            "Sun Nov  6 08:51:37 1994",
        ] {
            assert_eq!(wait(two_minutes_later, Some(NOW)), Some(120), "{two_minutes_later}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", Some(NOW)), Some(0));
        for no_date in ["Sun, 36 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"] {
            assert_eq!(wait(no_date, Some(NOW)), None, "{no_date}");
        }
    }

    #[test]
    fn without_a_date_of_the_answer_it_counts_from_ours() {
        assert_eq!(wait(NOW, None), Some(0));
        assert_eq!(wait(NOW, Some("nonsense")), Some(0));
        let in_an_hour = our_time() + Duration::from_secs(3_600);
        let seconds = wait(&httpdate::fmt_http_date(in_an_hour), None).unwrap();
        assert!((1..=3_600).contains(&seconds), "{seconds}");
    }
}
