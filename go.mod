module uswitch

go 1.26
