//! The numbered end-to-end scenarios of the host contract: one test per row and variant, named by
//! its number. Each asserts what is required of the plugin, which is not always what the original
//! Lua plugin does.

mod s01_s10;
mod s11_s20;
mod s21_s26;
mod s27_s36;
mod s37_s43;
mod s44_s46;
mod s47_s50;
mod s51_s55;
mod s56_s60;
