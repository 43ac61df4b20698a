//! What a person who is signed in may do.

/// The group of the user pool whose members are admins.
const ADMIN: &str = "admin";

/// The role of a person who is signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A member of the group `admin`.
    Admin,
    /// Anyone else in the user pool.
    Employee,
}

impl Role {
    /// The role of a member of `groups`: the claim `cognito:groups` as API Gateway hands it on, which is empty if there
    /// is none.
    ///
    /// A REST API joins the names with commas. The emulator joins them with spaces, in brackets.
    #[must_use]
    pub fn of(groups: &str) -> Self {
        let names = groups.strip_prefix('[').and_then(|names| names.strip_suffix(']')).unwrap_or(groups);
        let is_admin = names.split([',', ' ']).any(|name| name == ADMIN);
        if is_admin { Self::Admin } else { Self::Employee }
    }

    /// Whether this role may call a method of the API of products: an admin every method, anyone else only `GET` of one
    /// product.
    #[must_use]
    pub fn may_call(self, method: &str, has_id: bool) -> bool {
        match self {
            Self::Admin => true,
            Self::Employee => method == "GET" && has_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_is_a_member_of_the_group_in_the_form_of_aws_and_of_the_emulator() {
        for groups in ["admin", "admin,staff", "staff,admin", "[admin]", "[staff admin]", "[admin staff]"] {
            assert_eq!(Role::of(groups), Role::Admin, "{groups}");
        }
        for groups in
            ["", "[]", "staff", "[staff]", "Admin", "administrator", "not-admin", "[[admin]]", "admin]", "admin\t"]
        {
            assert_eq!(Role::of(groups), Role::Employee, "{groups}");
        }
    }

    #[test]
    fn an_admin_may_call_everything_and_an_employee_one_product_by_its_id() {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "get", ""] {
            for has_id in [false, true] {
                assert!(Role::Admin.may_call(method, has_id));
                assert_eq!(Role::Employee.may_call(method, has_id), method == "GET" && has_id, "{method} {has_id}");
            }
        }
    }
}
