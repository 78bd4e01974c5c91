<?php # known in the end: wgA wgB ?>
text before
<?php $wgA = 1 ?>
text between $wgA = 2;
<?php $wgB = 2; // to the end ?> $wgB = 3;
