//! Routing: from a path and a method to the route of the template.

/// Finds the route of a request; the most specific resource wins, then its own method before `ANY`.
#[derive(Debug)]
pub(crate) struct Routes {
    /// Resources, the most specific first.
    resources: Vec<Resource>,
}

/// A path of the API and its methods.
#[derive(Debug)]
struct Resource {
    /// The path.
    segments: Vec<Segment>,
    /// Method and position of its route.
    methods: Vec<(String, usize)>,
}

/// A segment of a resource's path; in the order of how specific it is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Segment {
    /// Itself alone.
    Literal(String),
    /// Any one segment: `{name}`.
    Parameter(String),
    /// All the rest, at least one segment: `{name+}`.
    Greedy(String),
}

/// The route of a request.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Match {
    /// Position of the route among those that [`Routes::new`] was given.
    pub(crate) index: usize,
    /// Path parameters, as the client sent them.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Routes {
    /// Routes for `(path, method)` pairs that [`check`] accepts.
    pub(crate) fn new<'a>(routes: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut resources: Vec<Resource> = Vec::new();
        for (index, (path, method)) in routes.enumerate() {
            let segments: Vec<Segment> = path.split('/').skip(1).map(segment).collect();
            let method = (method.to_owned(), index);
            match resources.iter_mut().find(|resource| resource.segments == segments) {
                Some(resource) => resource.methods.push(method),
                None => resources.push(Resource { segments, methods: vec![method] }),
            }
        }
        for resource in &mut resources {
            resource.methods.sort_by_key(|(method, _)| method == "ANY");
        }
        resources.sort_by(|a, b| a.segments.cmp(&b.segments));
        Self { resources }
    }

    /// The route for a normalized path; `None` is what API Gateway answers with 403.
    pub(crate) fn find(&self, path: &str, method: &str) -> Option<Match> {
        let (resource, parameters) =
            self.resources.iter().find_map(|resource| Some((resource, resource.parameters(path)?)))?;
        let (_, index) = resource.methods.iter().find(|(known, _)| known == method || known == "ANY")?;
        Some(Match { index: *index, parameters })
    }
}

impl Resource {
    /// The path parameters, if this resource is the one of `path`.
    fn parameters(&self, path: &str) -> Option<Vec<(String, String)>> {
        let mut parameters = Vec::new();
        let mut rest = Some(path.strip_prefix('/')?);
        for segment in &self.segments {
            let (first, after) = rest?.split_once('/').map_or((rest?, None), |(first, after)| (first, Some(after)));
            match segment {
                Segment::Literal(literal) if literal == first => rest = after,
                Segment::Parameter(name) if !first.is_empty() => {
                    parameters.push((name.clone(), first.to_owned()));
                    rest = after;
                }
                Segment::Greedy(name) if !first.is_empty() => {
                    parameters.push((name.clone(), rest?.to_owned()));
                    rest = None;
                }
                Segment::Literal(_) | Segment::Parameter(_) | Segment::Greedy(_) => return None,
            }
        }
        rest.is_none().then_some(parameters)
    }
}

/// The path that is routed: API Gateway serves `/hello/` as `/hello`.
pub(crate) fn normalize(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(path) if !path.is_empty() => path,
        _ if path.is_empty() => "/",
        _ => path,
    }
}

/// Refuses the path of a resource that [`Routes`] could not serve as API Gateway does.
pub(crate) fn check(path: &str) -> Result<(), &'static str> {
    let Some(path) = path.strip_prefix('/') else { return Err("a path begins with /") };
    if path.is_empty() {
        return Ok(());
    }
    let segments: Vec<_> = path.split('/').collect();
    let is_greedy = |text: &&str| matches!(segment(text), Segment::Greedy(_));
    if segments.iter().rev().skip(1).any(is_greedy) {
        return Err("only the last segment of a path can be greedy");
    }
    let broken = |text: &&str| {
        let (Segment::Literal(name) | Segment::Parameter(name) | Segment::Greedy(name)) = segment(text);
        name.is_empty() || name.contains(['{', '}'])
    };
    if segments.iter().any(broken) { Err("this is no path of a resource") } else { Ok(()) }
}

/// A segment as the template writes it.
fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(name) => match name.strip_suffix('+') {
            Some(name) => Segment::Greedy(name.to_owned()),
            None => Segment::Parameter(name.to_owned()),
        },
        None => Segment::Literal(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[(&str, &str)] = &[
        ("/{proxy+}", "ANY"),
        ("/tokens/{id}", "GET"),
        ("/tokens/revoke", "POST"),
        ("/tokens/{id}", "ANY"),
        ("/", "GET"),
    ];

    fn find(path: &str, method: &str) -> Option<usize> {
        Routes::new(ROUTES.iter().copied()).find(normalize(path), method).map(|found| found.index)
    }

    #[test]
    fn the_most_specific_resource_wins_then_its_own_method() {
        assert_eq!(find("/tokens/revoke", "POST"), Some(2));
        assert_eq!(find("/tokens/7", "GET"), Some(1));
        assert_eq!(find("/tokens/7", "PUT"), Some(3));
        assert_eq!(find("/tokens/7/uses", "PUT"), Some(0));
        assert_eq!(find("/tokens/revoke", "GET"), None, "another resource's method is not borrowed");
    }

    #[test]
    fn a_trailing_slash_is_not_part_of_the_path() {
        assert_eq!(find("/tokens/revoke/", "POST"), Some(2));
        assert_eq!((find("/", "GET"), find("", "GET")), (Some(4), Some(4)));
    }

    #[test]
    fn parameters_hold_what_the_client_sent() {
        let routes = Routes::new(ROUTES.iter().copied());
        let parameters = |path| routes.find(path, "GET").unwrap().parameters;
        assert_eq!(parameters("/tokens/a%2Fb"), [("id".to_owned(), "a%2Fb".to_owned())]);
        assert_eq!(parameters("/a/b"), [("proxy".to_owned(), "a/b".to_owned())]);
    }

    #[test]
    fn a_path_that_is_none_is_refused() {
        for path in ["hello", "/a//b", "/a/", "/{a+}/b", "/a{b}", "/{a}{b}", "/{}", "/{+}"] {
            assert!(check(path).is_err(), "{path}");
        }
        for path in ["/", "/a/{b}/c", "/{a+}"] {
            assert!(check(path).is_ok(), "{path}");
        }
    }
}
