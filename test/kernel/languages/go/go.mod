module kernel.test/languages

go 1.19
