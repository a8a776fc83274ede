//! The module of `<upsell-offer>`.

upsell_widget::embed!(upsell_widget::mount_offer);
