package interop;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.oidc.authentication.OidcIdTokenDecoderFactory;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.registration.ClientRegistrations;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtDecoderFactory;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
public class Security {
  @Bean
  ClientRegistrationRepository registrations() {
    return new InMemoryClientRegistrationRepository(
        ClientRegistrations.fromIssuerLocation(System.getenv("ISSUER"))
            .registrationId("clave")
            .clientId(System.getenv("CLIENT_ID"))
            .clientSecret(System.getenv("CLIENT_SECRET"))
            .redirectUri(System.getenv("REDIRECT_URI"))
            .scope("openid", "profile", "email", "offline_access")
            .clientSettings(ClientRegistration.ClientSettings.builder().requireProofKey(true).build())
            .build());
  }

  /** Without it, only RS256 is accepted. */
  @Bean
  JwtDecoderFactory<ClientRegistration> idTokenDecoders() {
    var factory = new OidcIdTokenDecoderFactory();
    factory.setJwsAlgorithmResolver(registration -> SignatureAlgorithm.ES256);
    return factory;
  }

  @Bean
  SecurityFilterChain chain(HttpSecurity http, ClientRegistrationRepository registrations) throws Exception {
    var resolver = new DefaultOAuth2AuthorizationRequestResolver(registrations, "/oauth2/authorization");
    resolver.setAuthorizationRequestCustomizer(
        request -> request.additionalParameters(parameters -> parameters.put("prompt", "consent")));
    var provider = new OidcClientInitiatedLogoutSuccessHandler(registrations);
    provider.setPostLogoutRedirectUri(System.getenv("POST_LOGOUT_REDIRECT_URI"));
    return http.authorizeHttpRequests(
            requests -> requests.requestMatchers("/").permitAll().anyRequest().authenticated())
        .oauth2Login(login -> login.authorizationEndpoint(endpoint -> endpoint.authorizationRequestResolver(resolver))
            .defaultSuccessUrl("/me"))
        .logout(logout -> logout.logoutSuccessHandler(provider))
        .csrf(csrf -> csrf.disable())
        .build();
  }
}
