//! Who a buyer is, across the customer ids that they may have at Dodo.

use dodo_client::ids::CustomerId;

/// Keyed hash of a normalised e-mail address, as hexadecimal digits. The address itself is never stored. See
/// [`crate::policy::email`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailHash(pub String);

/// Keyed hash of a customer id, as it stands where a customer id would: [`HASHED`] and hexadecimal digits. See
/// [`crate::policy::email::hash_customer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerHash(pub String);

/// Beginning of every [`CustomerHash`]. A colon stands in no id of Dodo's.
pub const HASHED: &str = "hash:";

/// A buyer: one customer id, and the e-mail address of the purchase that is followed up. Everything of either belongs to
/// this person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Dodo's id.
    pub customer_id: CustomerId,
    /// Keyed hash of the e-mail address, where a purchase named one.
    pub email: Option<EmailHash>,
}

impl Person {
    /// Returns the names under which this person is locked, in the order in which they have to be: customer ids before
    /// e-mail addresses, so that no two transactions wait for each other.
    #[must_use]
    pub fn lock_names(&self) -> Vec<String> {
        let email = self.email.as_ref().map(EmailHash::lock_name);
        std::iter::once(self.customer_id.to_string()).chain(email).collect()
    }

    /// Says whether something of this customer, bought or offered under this e-mail address, belongs to the person.
    #[must_use]
    pub fn is(&self, customer_id: &CustomerId, email: Option<&EmailHash>) -> bool {
        self.customer_id == *customer_id || (email.is_some() && self.email.as_ref() == email)
    }
}

impl EmailHash {
    /// Returns the name under which the address is locked. A colon stands in no id of Dodo's.
    #[must_use]
    pub fn lock_name(&self) -> String {
        format!("{EMAIL_LOCK}{}", self.0)
    }
}

/// Beginning of the lock names of e-mail addresses.
pub const EMAIL_LOCK: &str = "email:";

#[cfg(test)]
mod tests {
    use super::*;

    fn person(customer: &str, email: Option<&str>) -> Person {
        Person {
            customer_id: CustomerId::parse(customer).unwrap(),
            email: email.map(|hash| EmailHash(hash.into())),
        }
    }

    #[test]
    fn a_person_is_a_customer_id_or_an_address() {
        let hash = EmailHash("aa".into());
        let other = EmailHash("bb".into());
        let buyer = person("cus_1", Some("aa"));
        let (same, stranger) = (CustomerId::parse("cus_1").unwrap(), CustomerId::parse("cus_2").unwrap());
        assert!(buyer.is(&same, None) && buyer.is(&same, Some(&other)) && buyer.is(&stranger, Some(&hash)));
        assert!(!buyer.is(&stranger, Some(&other)) && !buyer.is(&stranger, None));
        assert!(!person("cus_1", None).is(&stranger, None), "two unknown addresses are not one");
    }

    #[test]
    fn customers_are_locked_before_addresses() {
        assert_eq!(person("cus_1", Some("aa")).lock_names(), ["cus_1", "email:aa"]);
        assert_eq!(person("cus_1", None).lock_names(), ["cus_1"]);
    }
}
