module interop

go 1.26

tool github.com/oauth2-proxy/oauth2-proxy/v7

require github.com/oauth2-proxy/oauth2-proxy/v7 v7.15.4
