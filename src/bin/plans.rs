//! The module of `<upsell-plans>`.

upsell_widget::embed!(upsell_widget::mount_plans);
