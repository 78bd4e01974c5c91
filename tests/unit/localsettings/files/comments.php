<?php # known in the end: wgX wgY
# one $wgX = 'no';
// two $wgX = 'no'; ?><?php
/* three
$wgX = 'no'; */
$wgX = 'yes'; #[Own]
#[Other( 'x' )] function f() {}
$wgY = 'also';
