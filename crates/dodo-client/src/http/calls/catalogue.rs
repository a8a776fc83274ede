//! Products and add-ons.

use crate::{
    Error,
    http::{Client, transport::Ask},
    ids::{AddonId, ProductId},
    types::catalogue::{Addon, Product},
};

impl Client {
    /// `GET /products/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_product(&self, id: &ProductId) -> Result<Product, Error> {
        self.transport.read(Ask::get(&["products", id.as_str()])).await
    }

    /// `GET /addons/{id}`. A read.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get_addon(&self, id: &AddonId) -> Result<Addon, Error> {
        self.transport.read(Ask::get(&["addons", id.as_str()])).await
    }
}
