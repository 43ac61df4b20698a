//! Routing: from a path and a method to the route of the template.
//!
//! A [`matchit`] router has API Gateway's order: a literal segment before `{name}` before `{name+}`, and a
//! less specific resource if a more specific one does not match the rest of the path. Each method has its
//! own router, because a resource without the method does not hide a less specific one that has it. Both
//! rules were recorded against API Gateway (docs/gateway.md).

use std::collections::BTreeMap;

use matchit::Router;

/// The methods of a REST API, which `ANY` stands for.
pub(crate) const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Finds the route of a request.
#[derive(Debug)]
pub(crate) struct Routes {
    /// Indexes of routes, by method.
    by_method: BTreeMap<&'static str, Router<usize>>,
}

/// The route of a request.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Match {
    /// Index of the route among those given to [`Routes::new`].
    pub(crate) index: usize,
    /// Path parameters, as the client sent them.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Routes {
    /// Routes for `(path, method)` pairs.
    ///
    /// # Errors
    ///
    /// The index of a route that API Gateway would not accept, and the reason.
    pub(crate) fn new(routes: &[(&str, &str)]) -> Result<Self, (usize, String)> {
        for (index, (path, method)) in routes.iter().enumerate() {
            let earlier = &routes[..index];
            let fault = if let Err(message) = check(path) {
                message.to_owned()
            } else if earlier.contains(&(path, method)) {
                format!("{method} {path} already has a function")
            } else if let Some((one, other)) = earlier.iter().find_map(|(earlier, _)| rivals(earlier, path)) {
                format!("{other} conflicts with {one}: API Gateway allows only one path variable at a place")
            } else {
                continue;
            };
            return Err((index, fault));
        }
        let mut by_method = BTreeMap::new();
        for method in METHODS {
            let mut router = Router::new();
            for (index, (path, own)) in routes.iter().enumerate() {
                if *own == method || (*own == "ANY" && !routes.contains(&(path, method))) {
                    router.insert(pattern(path), index).map_err(|err| (index, err.to_string()))?;
                }
            }
            by_method.insert(method, router);
        }
        Ok(Self { by_method })
    }

    /// The route for a path without a trailing slash; `None` if there is none, which is a 403.
    pub(crate) fn find(&self, path: &str, method: &str) -> Option<Match> {
        let found = self.by_method.get(method)?.at(path).ok()?;
        let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Match { index: *found.value, parameters: parameters.collect() })
    }
}

/// A path without its trailing slash, which API Gateway ignores when it routes.
pub(crate) fn without_trailing_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

/// Refuses the path of a resource if API Gateway would refuse it.
fn check(path: &str) -> Result<(), &'static str> {
    let Some(path) = path.strip_prefix('/') else { return Err("a path must begin with /") };
    if path.is_empty() {
        return Ok(());
    }
    let segments: Vec<_> = path.split('/').collect();
    let is_greedy = |segment: &&str| variable(segment).is_some_and(|name| name.ends_with('+'));
    if segments.iter().rev().skip(1).any(is_greedy) {
        return Err("only the last segment of a path can be greedy");
    }
    let is_valid = |segment: &&str| {
        let name = variable(segment).map_or(*segment, |name| name.strip_suffix('+').unwrap_or(name));
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte))
    };
    if segments.iter().all(is_valid) {
        Ok(())
    } else {
        Err("a segment of a path must be letters, digits and ._-: or one {variable}")
    }
}

/// The first segments in which two paths differ, if both are variables.
fn rivals<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let (one, other) = one.split('/').zip(other.split('/')).find(|(one, other)| one != other)?;
    (variable(one).is_some() && variable(other).is_some()).then_some((one, other))
}

/// The name of a segment's variable, with `+` if it is greedy; `None` if it is literal.
fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The path as [`matchit`] writes it.
fn pattern(path: &str) -> String {
    match path.strip_suffix("+}").and_then(|path| path.rsplit_once('{')) {
        Some((path, name)) => format!("{path}{{*{name}}}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(routes: &[(&str, &str)], path: &str, method: &str) -> Option<usize> {
        Routes::new(routes).unwrap().find(without_trailing_slash(path), method).map(|found| found.index)
    }

    #[test]
    fn the_most_specific_resource_with_the_method_wins_then_its_own_method() {
        let routes =
            [("/{proxy+}", "ANY"), ("/tokens/{id}", "GET"), ("/tokens/revoke", "POST"), ("/tokens/{id}", "ANY")];
        for (path, method, expected) in [
            ("/tokens/revoke", "POST", Some(2)),
            ("/tokens/7", "GET", Some(1)),
            ("/tokens/7", "PUT", Some(3)),
            ("/tokens/7/uses", "PUT", Some(0)),
            ("/tokens/revoke", "GET", Some(1)),
            ("/tokens/7", "TRACE", None),
        ] {
            assert_eq!(find(&routes, path, method), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_greedy_resource_beside_a_literal_one_is_routed_as_recorded() {
        // localstack, tests/aws/services/apigateway/test_apigateway_common.py, class TestApigatewayRouting
        let routes = [("/test", "POST"), ("/test/any", "ANY"), ("/{proxy+}", "OPTIONS")];
        assert_eq!(find(&routes, "/test", "POST"), Some(0));
        assert_eq!(find(&routes, "/test", "OPTIONS"), Some(2), "a literal resource without the method hides nothing");
        assert_eq!(find(&routes, "/test/any", "OPTIONS"), Some(1), "ANY of a literal resource is more specific");

        let routes = [("/part1", "GET"), ("/{param+}", "GET"), ("/part1/hardcoded-value", "GET")];
        assert_eq!(find(&routes, "/part1", "GET"), Some(0));
        assert_eq!(find(&routes, "/part1/hardcoded-value", "GET"), Some(2));
        assert_eq!(find(&routes, "/part1/random-value", "GET"), Some(1), "back to the root");
    }

    #[test]
    fn a_resource_without_the_method_is_passed_over_as_measured() {
        // ministackorg/ministack 1423, measured in eu-central-1
        let routes = [("/{proxy+}", "ANY"), ("/jobs/{operation_type}", "GET"), ("/cors_only", "OPTIONS")];
        for (path, method, expected) in [
            ("/jobs/reboot", "GET", 1),
            ("/jobs", "GET", 0),
            ("/jobs", "POST", 0),
            ("/jobs/reboot", "POST", 0),
            ("/cors_only", "GET", 0),
        ] {
            assert_eq!(find(&routes, path, method), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn a_trailing_slash_is_not_part_of_the_path() {
        let routes = [("/tokens/revoke", "POST"), ("/", "GET")];
        assert_eq!(find(&routes, "/tokens/revoke/", "POST"), Some(0));
        assert_eq!(find(&routes, "/", "GET"), Some(1));
        assert_eq!(find(&[("/{proxy+}", "GET")], "/", "GET"), None, "a variable is at least one character");
    }

    #[test]
    fn parameters_hold_what_the_client_sent() {
        let routes = Routes::new(&[("/tokens/{id}", "GET"), ("/{proxy+}", "GET")]).unwrap();
        let parameters = |path| routes.find(path, "GET").unwrap().parameters;
        assert_eq!(parameters("/tokens/a%2Fb"), [("id".to_owned(), "a%2Fb".to_owned())]);
        assert_eq!(parameters("/a//b"), [("proxy".to_owned(), "a//b".to_owned())]);
    }

    #[test]
    fn a_path_that_api_gateway_would_refuse_is_refused() {
        for path in ["hello", "/a//b", "/a/", "/{a+}/b", "/a{b}", "/{a}{b}", "/{}", "/{+}", "/{*a}", "/a b", "/ä"] {
            assert!(Routes::new(&[(path, "GET")]).is_err(), "{path}");
        }
        for path in ["/", "/a/{b}/c", "/{a+}", "/.well-known/a_b:c"] {
            assert!(Routes::new(&[(path, "GET")]).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_second_variable_at_one_place_is_refused_for_any_method() {
        for (one, other) in [("/{a}", "/{b}"), ("/{proxy+}", "/{id}"), ("/a/{b}/c", "/a/{d}"), ("/{a}", "/{a+}")] {
            let (index, message) = Routes::new(&[(one, "GET"), (other, "POST")]).unwrap_err();
            assert_eq!(index, 1);
            assert!(message.ends_with("API Gateway allows only one path variable at a place"), "{message}");
        }
        assert!(Routes::new(&[("/{a}", "GET"), ("/{a}/{b+}", "GET"), ("/b/{c}", "GET")]).is_ok());
    }
}
